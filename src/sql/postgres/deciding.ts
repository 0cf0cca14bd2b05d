import { spend } from './effort.ts';
import { bodyOf, isTree, listAt, type Tree, textAt, treeAt, unreadable, type Value } from './tree.ts';

/** A view this deep is not read: the thread's stack must hold the whole of it. */
const DEEPEST = 3_000;

type Windows = ReadonlyMap<string, Tree>;

/**
 * The same tree, with what decides about a value written where the value stands: the definitions of windows at the
 * calls that name them, and the conditions of a subquery in an expression among its results. What decides about the
 * rows of the query itself stays where it is. For reading only: no server would accept it.
 */
export function withDeciding(value: Value, windows: Windows = new Map(), depth = 0): Value {
  spend(1);
  if (depth > DEEPEST) throw unreadable('it nests too deep');
  if (Array.isArray(value)) return value.map((each) => withDeciding(each, windows, depth + 1));
  if (!isTree(value)) return value;
  const within = isSelect(value) ? windowsOf(value) : windows;
  const fields = Object.entries(value).map(([field, inner]): [string, Value] => {
    if (inner === undefined) return [field, null];
    const body = withDeciding(inner, within, depth + 1);
    if (!isTree(body)) return [field, body];
    if (field === 'over') return [field, inlined(body, within)];
    return [field, field === 'SubLink' ? subLink(body) : body];
  });
  return Object.fromEntries(fields);
}

/** A set operation has its sides without a tag; only a SELECT says what kind of LIMIT it has. */
function isSelect(tree: Tree): boolean {
  return 'limitOption' in tree && 'op' in tree;
}

function windowsOf(select: Tree): Windows {
  const definitions = listAt(select, 'windowClause').map((value) => bodyOf(value, 'WindowDef') ?? {});
  return new Map(definitions.map((definition) => [textAt(definition, 'name'), definition]));
}

function inlined(over: Tree, windows: Windows): Tree {
  let partition = listAt(over, 'partitionClause');
  let order = listAt(over, 'orderClause');
  let base = windows.get(textAt(over, 'name') || textAt(over, 'refname'));
  // A window is made of one defined before it, so there are no more steps than windows.
  for (let steps = 0; base !== undefined && steps < windows.size; steps++) {
    spend(1 + partition.length + order.length);
    partition = [...listAt(base, 'partitionClause'), ...partition];
    order = [...listAt(base, 'orderClause'), ...order];
    base = windows.get(textAt(base, 'refname'));
  }
  return { ...over, partitionClause: partition, orderClause: order };
}

function subLink(body: Tree): Tree {
  const select = bodyOf(body['subselect'], 'SelectStmt');
  if (select === undefined) return body;
  if (textAt(body, 'subLinkType') !== 'EXISTS_SUBLINK') return { ...body, subselect: { SelectStmt: decided(select) } };
  // That there are rows is a value, whatever they hold.
  const rows = { ...select, targetList: [], distinctClause: [], sortClause: [] };
  const subselect = { SelectStmt: decided(isSet(select) ? select : rows) };
  return { ...body, subLinkType: 'EXPR_SUBLINK', subselect };
}

function isSet(select: Tree): boolean {
  return textAt(select, 'op') !== 'SETOP_NONE';
}

/** A query with one more result, made of everything that decides about its rows. */
function decided(select: Tree): Tree {
  const clause = treeAt(select, 'withClause');
  const tables = clause ? listAt(clause, 'ctes').map((value) => bodyOf(value, 'CommonTableExpr') ?? {}) : [];
  const own = new Set(tables.map((table) => textAt(table, 'ctename')));
  const ctes = tables.map((table) => ({ CommonTableExpr: { ...table, ctequery: decidedQuery(table['ctequery']) } }));
  const inner: Tree = clause ? { ...select, withClause: { ...clause, ctes } } : select;
  if (isSet(inner)) {
    return { ...inner, larg: decided(treeAt(inner, 'larg') ?? {}), rarg: decided(treeAt(inner, 'rarg') ?? {}) };
  }
  if (listAt(inner, 'valuesLists').length > 0) return inner;
  const from = listAt(inner, 'fromClause').map((item) => fromItem(item, own));
  const conditions = ['whereClause', 'havingClause', 'groupClause', 'sortClause', 'limitCount', 'limitOffset'];
  const args = [
    ...conditions.map((field) => inner[field] ?? null),
    ...listAt(inner, 'distinctClause').filter((each) => isTree(each) && Object.keys(each).length > 0),
    ...from.flatMap((each) => each.deciding),
  ];
  const value = { RowExpr: { args: args.flat().filter((each) => each !== null) } };
  const targetList = [...listAt(inner, 'targetList'), { ResTarget: { name: '?decides', val: value } }];
  return { ...inner, targetList, fromClause: from.map((each) => each.item) };
}

function decidedQuery(value: Value | undefined): Value {
  const select = bodyOf(value, 'SelectStmt');
  return select ? { SelectStmt: decided(select) } : (value ?? null);
}

interface FromItem {
  readonly item: Value;
  readonly deciding: readonly Value[];
}

/** Subqueries in FROM decide by what they decide themselves; joins by their conditions. */
function fromItem(item: Value, own: ReadonlySet<string>): FromItem {
  const join = bodyOf(item, 'JoinExpr');
  if (join) {
    const left = fromItem(join['larg'] ?? null, own);
    const right = fromItem(join['rarg'] ?? null, own);
    const merges = join['isNatural'] === true || listAt(join, 'usingClause').length > 0;
    return {
      item: { JoinExpr: { ...join, larg: left.item, rarg: right.item } },
      deciding: [...left.deciding, ...right.deciding, join['quals'] ?? null, ...(merges ? [everything()] : [])],
    };
  }
  const subselect = bodyOf(item, 'RangeSubselect');
  if (subselect) {
    const alias = textAt(treeAt(subselect, 'alias') ?? {}, 'aliasname');
    const decidedItem = { RangeSubselect: { ...subselect, subquery: decidedQuery(subselect['subquery']) } };
    return { item: decidedItem, deciding: [everything(...(alias === '' ? [] : [alias]))] };
  }
  const range = bodyOf(item, 'RangeVar');
  if (range && textAt(range, 'schemaname') === '' && own.has(textAt(range, 'relname'))) {
    const alias = textAt(treeAt(range, 'alias') ?? {}, 'aliasname') || textAt(range, 'relname');
    return { item, deciding: [everything(alias)] };
  }
  return { item, deciding: [] };
}

function everything(...qualifier: readonly string[]): Tree {
  return { ColumnRef: { fields: [...qualifier.map((sval) => ({ String: { sval } })), { A_Star: {} }] } };
}
