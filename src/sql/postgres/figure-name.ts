import { bodyOf, listAt, nodeOf, stringOf, textAt, treeAt, type Value } from './tree.ts';

/** The name a result column gets when the statement gives none (parse_target.c, FigureColname). */
export function figureName(value: Value | undefined): string {
  return figure(value)?.name ?? '?column?';
}

/** `firm` names win over the weak ones of casts and CASE. */
interface Name {
  readonly name: string;
  readonly firm: boolean;
}

const FIXED: Readonly<Record<string, string>> = {
  CoalesceExpr: 'coalesce',
  RowExpr: 'row',
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  XmlSerialize: 'xmlserialize',
  A_ArrayExpr: 'array',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};

const BY_OPERATION: Readonly<Record<string, string>> = {
  IS_GREATEST: 'greatest',
  IS_LEAST: 'least',
  IS_XMLCONCAT: 'xmlconcat',
  IS_XMLELEMENT: 'xmlelement',
  IS_XMLFOREST: 'xmlforest',
  IS_XMLPARSE: 'xmlparse',
  IS_XMLPI: 'xmlpi',
  IS_XMLROOT: 'xmlroot',
  JSON_EXISTS_OP: 'json_exists',
  JSON_QUERY_OP: 'json_query',
  JSON_VALUE_OP: 'json_value',
  SVFOP_CURRENT_DATE: 'current_date',
  SVFOP_CURRENT_TIME: 'current_time',
  SVFOP_CURRENT_TIME_N: 'current_time',
  SVFOP_CURRENT_TIMESTAMP: 'current_timestamp',
  SVFOP_CURRENT_TIMESTAMP_N: 'current_timestamp',
  SVFOP_LOCALTIME: 'localtime',
  SVFOP_LOCALTIME_N: 'localtime',
  SVFOP_LOCALTIMESTAMP: 'localtimestamp',
  SVFOP_LOCALTIMESTAMP_N: 'localtimestamp',
  SVFOP_CURRENT_ROLE: 'current_role',
  SVFOP_CURRENT_USER: 'current_user',
  SVFOP_USER: 'user',
  SVFOP_SESSION_USER: 'session_user',
  SVFOP_CURRENT_CATALOG: 'current_catalog',
  SVFOP_CURRENT_SCHEMA: 'current_schema',
};

function figure(value: Value | undefined): Name | undefined {
  if (value === undefined || value === null) return undefined;
  const { tag, body } = nodeOf(value);
  switch (tag) {
    case 'ColumnRef':
      return lastName(listAt(body, 'fields'));
    case 'A_Indirection':
      return lastName(listAt(body, 'indirection')) ?? figure(body['arg']);
    case 'FuncCall':
      return lastName(listAt(body, 'funcname'));
    case 'A_Expr':
      return textAt(body, 'kind') === 'AEXPR_NULLIF' ? firm('nullif') : undefined;
    case 'TypeCast': {
      const inner = figure(body['arg']);
      const type = treeAt(body, 'typeName');
      return inner?.firm ? inner : type && weak(stringOf(listAt(type, 'names').at(-1)));
    }
    case 'CollateClause':
      return figure(body['arg']);
    case 'CaseExpr': {
      const inner = figure(body['defresult']);
      return inner?.firm ? inner : weak('case');
    }
    case 'SubLink':
      return subLink(textAt(body, 'subLinkType'), body['subselect']);
    default: {
      const name = FIXED[tag] ?? BY_OPERATION[textAt(body, 'op')];
      return name === undefined ? undefined : firm(name);
    }
  }
}

function subLink(type: string, query: Value | undefined): Name | undefined {
  if (type === 'EXISTS_SUBLINK') return firm('exists');
  if (type === 'ARRAY_SUBLINK') return firm('array');
  if (type !== 'EXPR_SUBLINK') return undefined;
  let select = bodyOf(query, 'SelectStmt');
  for (let left = select && treeAt(select, 'larg'); left; left = treeAt(left, 'larg')) select = left;
  const target = select && bodyOf(listAt(select, 'targetList')[0], 'ResTarget');
  if (!target) return select && listAt(select, 'valuesLists').length > 0 ? firm('column1') : undefined;
  const named = textAt(target, 'name');
  return named === '' ? figure(target['val']) : firm(named);
}

/** The last plain name among fields; subscripts and stars give none. */
function lastName(fields: readonly Value[]): Name | undefined {
  const names = fields.flatMap((field) => stringOf(field) ?? []);
  const name = names.at(-1);
  return name === undefined ? undefined : firm(name);
}

function firm(name: string): Name {
  return { name, firm: true };
}

function weak(name: string | undefined): Name | undefined {
  return name === undefined ? undefined : { name, firm: false };
}
