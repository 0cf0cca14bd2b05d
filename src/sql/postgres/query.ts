import { readWith } from './common-tables.ts';
import { walkCondition } from './conditions.ts';
import { createTable } from './creating.ts';
import { PER_QUERY, spend } from './effort.ts';
import { type Place, resolve, star, walk } from './expressions.ts';
import { figureName } from './figure-name.ts';
import { readFrom } from './from.ts';
import type { Ledger } from './ledger.ts';
import { lockRows } from './locking.ts';
import { readMerge } from './merging.ts';
import { groupBy, groupedByKey, orderBy } from './ordering.ts';
import { Scope } from './scope.ts';
import { settingOf } from './setting-query.ts';
import { NOTHING, type Output, type Shape, type Sources, shapeSources, union } from './sources.ts';
import { isTotal } from './total.ts';
import { bodyOf, flagAt, listAt, nodeOf, stringOf, type Tree, textAt, treeAt, unreadable, type Value } from './tree.ts';
import { readDelete, readInsert, readUpdate } from './writing.ts';

/** Where a query stands: the names around it, and who takes down what it does. */
export interface Around {
  readonly ledger: Ledger;
  readonly scope: Scope | undefined;
}

/**
 * Reads a query and tells what it gives. A plain column among the outputs is not taken down here: whoever uses the
 * output does that, knowing as what. Everything else the query touches is.
 */
export function readQuery(value: Value | undefined, around: Around): Shape {
  const { tag, body } = nodeOf(value);
  switch (tag) {
    case 'SelectStmt':
      return readSelect(body, around);
    case 'InsertStmt':
      return readInsert(body, around);
    case 'UpdateStmt':
      return readUpdate(body, around);
    case 'DeleteStmt':
      return readDelete(body, around);
    case 'MergeStmt':
      return readMerge(body, around);
    default:
      throw unreadable(`${tag} stands where a query should`);
  }
}

function readSelect(body: Tree, around: Around): Shape {
  const { ledger } = around;
  spend(PER_QUERY);
  ledger.depth += 1;
  if (ledger.depth > 3_000) throw unreadable('it nests too deep');
  const scope = new Scope(around.scope);
  readWith(treeAt(body, 'withClause'), { ledger, scope });
  const place: Place = { ledger, scope, use: 'derive' };
  const deciding: Place = { ...place, use: 'filter' };

  const into = treeAt(body, 'intoClause');
  if (into) createTable(treeAt(into, 'rel'), ledger);

  const shape = shapeOf(body, place);
  orderBy(listAt(body, 'sortClause'), shape, deciding);
  walk(body['limitOffset'], place);
  walk(body['limitCount'], place);
  lockRows(listAt(body, 'lockingClause'), body['fromClause'], place);
  ledger.depth -= 1;
  if (!into) return shape;
  // What goes into a table is not told to the client, and stays there.
  ledger.columns(shapeSources(shape), 'derive');
  return { outputs: [], open: undefined };
}

function shapeOf(body: Tree, place: Place): Shape {
  if (textAt(body, 'op') !== 'SETOP_NONE') return setOperation(body, place);
  if (listAt(body, 'valuesLists').length > 0) return values(listAt(body, 'valuesLists'), place);
  return plainSelect(body, place);
}

function plainSelect(body: Tree, place: Place): Shape {
  const { ledger, scope } = place;
  const deciding: Place = { ...place, use: 'filter' };
  readFrom(listAt(body, 'fromClause'), place);
  scope.settingName = settingOf(body, place);
  const shape = targets(listAt(body, 'targetList'), place);
  walkCondition(body['whereClause'], deciding);
  groupedByKey(listAt(body, 'groupClause'), place);
  groupBy(listAt(body, 'groupClause'), shape, deciding);
  walk(body['havingClause'], deciding);
  walk(listAt(body, 'windowClause'), deciding);
  const distinct = listAt(body, 'distinctClause');
  const on = distinct.filter((each) => !isEmpty(each));
  if (distinct.length > 0 && on.length === 0) ledger.columns(shapeSources(shape), 'filter');
  orderBy(on, shape, deciding);
  return shape;
}

/** DISTINCT without ON is a list of one node that is not there. */
function isEmpty(value: Value): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Result columns of a target or RETURNING list. */
export function targets(list: readonly Value[], place: Place): Shape {
  const outputs: Output[] = [];
  let open: Sources | undefined;
  for (const value of list) {
    const target = bodyOf(value, 'ResTarget');
    if (!target) throw unreadable('a result column of unknown shape');
    const reference = bodyOf(target['val'], 'ColumnRef');
    const fields = reference ? listAt(reference, 'fields') : [];
    if (bodyOf(fields.at(-1), 'A_Star')) {
      const expanded = star(reference ?? {}, place);
      spend(expanded.outputs.length);
      for (const output of expanded.outputs) outputs.push(output);
      if (expanded.open) open = union(open ?? NOTHING, expanded.open);
    } else if (reference) {
      const { sources, base, origin, site, total } = resolve(reference, place);
      outputs.push({
        sources,
        base,
        origin,
        site,
        total,
        name: textAt(target, 'name') || (stringOf(fields.at(-1)) ?? ''),
      });
    } else {
      const total = isTotal(target['val'], place.ledger.names, place.scope);
      const sources = walk(target['val'], total ? { ...place, use: 'carry' } : place);
      if (expands(target['val'])) open = union(open ?? NOTHING, sources);
      else outputs.push({ name: textAt(target, 'name') || figureName(target['val']), sources, total });
    }
  }
  return { outputs, open };
}

/** `(expression).*` gives columns that are not known here. */
function expands(value: Value | undefined): boolean {
  const body = bodyOf(value, 'A_Indirection');
  return body !== undefined && bodyOf(listAt(body, 'indirection').at(-1), 'A_Star') !== undefined;
}

function setOperation(body: Tree, place: Place): Shape {
  const left = readSelect(arm(body, 'larg'), place);
  const right = readSelect(arm(body, 'rarg'), place);
  const all = shapeSources(right);
  const matched = !right.open && !left.open && left.outputs.length === right.outputs.length;
  spend(left.outputs.length);
  const outputs = left.outputs.map(({ name, sources, total = false }, index): Output => {
    const other = matched ? right.outputs[index] : undefined;
    return { name, sources: union(sources, other?.sources ?? all), total: total && other?.total === true };
  });
  const shape = { outputs, open: left.open && union(left.open, all) };
  // Only UNION ALL passes rows on without comparing them.
  if (textAt(body, 'op') !== 'SETOP_UNION' || !flagAt(body, 'all')) {
    place.ledger.columns(union(shapeSources(shape), all), 'filter');
  }
  return shape;
}

function arm(body: Tree, field: string): Tree {
  const select = treeAt(body, field);
  if (!select) throw unreadable('a set operation without two sides');
  return select;
}

function values(rows: readonly Value[], place: Place): Shape {
  const columns: Sources[] = [];
  for (const row of rows) {
    const list = bodyOf(row, 'List');
    for (const [index, item] of (list ? listAt(list, 'items') : []).entries()) {
      columns[index] = union(columns[index] ?? NOTHING, walk(item, place));
    }
  }
  return { outputs: columns.map((sources, index) => ({ name: `column${index + 1}`, sources })), open: undefined };
}
