/**
 * Which fields of an expression node hold further expressions. A node or field that is not here cannot be read, so a
 * parser that learns new syntax is refused until somebody has looked at it.
 */
export type FieldKind =
  | 'skip' // says nothing about columns or functions
  | 'node' // a node, or a list of them
  | 'order' // ORDER BY, PARTITION BY, FILTER: decides rather than becomes a value
  | { readonly as: string }; // one node without its tag, or a list of such

export type Shapes = Readonly<Record<string, Readonly<Record<string, FieldKind>>>>;

const SKIP = 'skip';
const NODE = 'node';
const BEHAVIOUR: FieldKind = { as: 'JsonBehavior' };
const VALUE: FieldKind = { as: 'JsonValueExpr' };
const JSON_OPTIONS = { output: SKIP, absent_on_null: SKIP, unique: SKIP, unique_keys: SKIP, location: SKIP } as const;

export const SHAPES: Shapes = {
  A_Const: { ival: SKIP, fval: SKIP, boolval: SKIP, sval: SKIP, bsval: SKIP, isnull: SKIP, location: SKIP },
  Integer: { ival: SKIP },
  Float: { fval: SKIP },
  Boolean: { boolval: SKIP },
  String: { sval: SKIP },
  BitString: { bsval: SKIP },
  ParamRef: { number: SKIP, location: SKIP },
  SetToDefault: { typeId: SKIP, typeMod: SKIP, collation: SKIP, location: SKIP },
  SQLValueFunction: { op: SKIP, type: SKIP, typmod: SKIP, location: SKIP },
  CurrentOfExpr: { cvarno: SKIP, cursor_name: SKIP, cursor_param: SKIP },
  MergeSupportFunc: { msftype: SKIP, msfcollid: SKIP, location: SKIP },
  List: { items: NODE },
  BoolExpr: { boolop: SKIP, args: NODE, location: SKIP },
  NullTest: { arg: NODE, nulltesttype: SKIP, argisrow: SKIP, location: SKIP },
  BooleanTest: { arg: NODE, booltesttype: SKIP, location: SKIP },
  CoalesceExpr: { args: NODE, location: SKIP },
  MinMaxExpr: { op: SKIP, args: NODE, location: SKIP },
  CaseExpr: { arg: NODE, args: NODE, defresult: NODE, location: SKIP },
  CaseWhen: { expr: NODE, result: NODE, location: SKIP },
  A_ArrayExpr: { elements: NODE, list_start: SKIP, list_end: SKIP, location: SKIP },
  A_Indices: { is_slice: SKIP, lidx: NODE, uidx: NODE },
  RowExpr: { args: NODE, row_format: SKIP, colnames: SKIP, location: SKIP },
  TypeCast: { arg: NODE, typeName: SKIP, location: SKIP },
  CollateClause: { arg: NODE, collname: SKIP, location: SKIP },
  NamedArgExpr: { arg: NODE, name: SKIP, argnumber: SKIP, location: SKIP },
  GroupingFunc: { args: NODE, location: SKIP },
  GroupingSet: { kind: SKIP, content: NODE, location: SKIP },
  MultiAssignRef: { source: NODE, colno: SKIP, ncolumns: SKIP },
  ResTarget: { name: SKIP, val: NODE, location: SKIP },
  WindowDef: {
    name: SKIP,
    refname: SKIP,
    partitionClause: 'order',
    orderClause: 'order',
    frameOptions: SKIP,
    startOffset: 'order',
    endOffset: 'order',
    location: SKIP,
  },
  XmlExpr: { op: SKIP, name: SKIP, named_args: NODE, args: NODE, xmloption: SKIP, indent: SKIP, location: SKIP },
  XmlSerialize: { xmloption: SKIP, expr: NODE, typeName: SKIP, indent: SKIP, location: SKIP },
  JsonValueExpr: { raw_expr: NODE, formatted_expr: NODE, format: SKIP },
  JsonBehavior: { btype: SKIP, expr: NODE, coerce: SKIP, location: SKIP },
  JsonArgument: { val: VALUE, name: SKIP },
  JsonKeyValue: { key: NODE, value: VALUE },
  JsonIsPredicate: { expr: NODE, format: SKIP, item_type: SKIP, unique_keys: SKIP, location: SKIP },
  JsonFuncExpr: {
    op: SKIP,
    column_name: SKIP,
    context_item: VALUE,
    pathspec: NODE,
    passing: NODE,
    output: SKIP,
    on_empty: BEHAVIOUR,
    on_error: BEHAVIOUR,
    wrapper: SKIP,
    quotes: SKIP,
    location: SKIP,
  },
  JsonParseExpr: { expr: VALUE, ...JSON_OPTIONS },
  JsonScalarExpr: { expr: NODE, ...JSON_OPTIONS },
  JsonSerializeExpr: { expr: VALUE, ...JSON_OPTIONS },
  JsonObjectConstructor: { exprs: NODE, ...JSON_OPTIONS },
  JsonArrayConstructor: { exprs: NODE, ...JSON_OPTIONS },
  JsonObjectAgg: { constructor: { as: 'JsonAggConstructor' }, arg: { as: 'JsonKeyValue' }, ...JSON_OPTIONS },
  JsonArrayAgg: { constructor: { as: 'JsonAggConstructor' }, arg: VALUE, ...JSON_OPTIONS },
  JsonAggConstructor: {
    output: SKIP,
    agg_filter: 'order',
    agg_order: 'order',
    over: { as: 'WindowDef' },
    location: SKIP,
  },
  JsonTablePathSpec: { string: NODE, name: SKIP, name_location: SKIP, location: SKIP },
  JsonTableColumn: {
    coltype: SKIP,
    name: SKIP,
    typeName: SKIP,
    pathspec: { as: 'JsonTablePathSpec' },
    format: SKIP,
    wrapper: SKIP,
    quotes: SKIP,
    columns: NODE,
    on_empty: BEHAVIOUR,
    on_error: BEHAVIOUR,
    location: SKIP,
  },
};

/** Syntax of the parser's version that an older server reads as a call of a function by this name. */
export const ONCE_FUNCTIONS: Readonly<Record<string, string>> = {
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
  JSON_EXISTS_OP: 'json_exists',
  JSON_QUERY_OP: 'json_query',
  JSON_VALUE_OP: 'json_value',
  MergeSupportFunc: 'merge_action',
};
