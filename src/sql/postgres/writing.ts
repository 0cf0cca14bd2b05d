import { isBounded } from './bounded.ts';
import { readWith } from './common-tables.ts';
import { walkCondition } from './conditions.ts';
import { checked, moved } from './constraints.ts';
import { spend } from './effort.ts';
import { type Place, walk } from './expressions.ts';
import { readFrom, relationPart } from './from.ts';
import { unresolved } from './names.ts';
import { type Around, readQuery, targets } from './query.ts';
import type { Column, Relation } from './relation.ts';
import { type Item, Scope } from './scope.ts';
import { type Shape, type Sources, shapeSources } from './sources.ts';
import { bodyOf, listAt, type Tree, textAt, treeAt, unreadable, type Value } from './tree.ts';

/** What a statement writes to, in a scope of its own. */
export interface Target {
  readonly relation: Relation;
  readonly place: Place;
  readonly alias: string;
}

export function openTarget(body: Tree, around: Around): Target {
  const scope = new Scope(around.scope);
  readWith(treeAt(body, 'withClause'), { ledger: around.ledger, scope });
  const range = treeAt(body, 'relation');
  if (!range) throw unreadable('a write without a target');
  const relation = around.ledger.names.relation(range);
  const part = relationPart(range, relation);
  return { relation, place: { ledger: around.ledger, scope, use: 'derive' }, alias: part.items[0]?.alias ?? '' };
}

export function showTarget(body: Tree, { relation, place }: Target): void {
  place.scope.add(relationPart(treeAt(body, 'relation') ?? {}, relation));
}

export function readInsert(body: Tree, around: Around): Shape {
  const target = openTarget(body, around);
  const { relation, place } = target;
  const { ledger } = place;
  ledger.on('insert', relation);
  const select = body['selectStmt'];
  const given = select === undefined ? undefined : readQuery(select, place);
  const sources = given ? shapeSources(given) : new Set<Column>();
  ledger.columns(sources, 'derive');
  const assigned = insertedColumns(listAt(body, 'cols'), given, target);
  for (const column of assigned) ledger.column(column, 'assign');
  checked(relation, assigned, 'insert', ledger);

  showTarget(body, target);
  onConflict(treeAt(body, 'onConflictClause'), target, { sources, assigned });
  return returning(body, target);
}

/** Columns an INSERT names, or as many as it gives values for. */
export function insertedColumns(list: readonly Value[], given: Shape | undefined, target: Target): Column[] {
  if (list.length > 0) return list.map((value) => assignedColumn(value, target));
  if (!given) return [];
  return target.relation.columns.slice(0, given.open ? undefined : given.outputs.length);
}

function onConflict(
  clause: Tree | undefined,
  target: Target,
  given: { readonly sources: Sources; readonly assigned: readonly Column[] },
): void {
  if (!clause) return;
  const { relation, place } = target;
  const { ledger, scope } = place;
  const deciding: Place = { ...place, use: 'filter' };
  const infer = treeAt(clause, 'infer');
  const elements = infer ? listAt(infer, 'indexElems') : [];
  for (const value of elements) {
    const element = bodyOf(value, 'IndexElem') ?? {};
    const name = textAt(element, 'name');
    if (name !== '') ledger.column(columnNamed(name, target), 'filter');
    walk(element['expr'], deciding);
  }
  walk(infer?.['whereClause'], deciding);
  // Any unique constraint may be the one: what is written tells whether it was there before.
  if (elements.length === 0) for (const column of given.assigned) ledger.column(column, 'filter');
  if (textAt(clause, 'action') !== 'ONCONFLICT_UPDATE') return;

  ledger.on('update', relation);
  spend(relation.columns.length);
  const outputs = relation.columns.map(({ name }) => ({ name, sources: given.sources }));
  scope.items.push(unseen('excluded', { outputs, open: undefined }));
  assign(listAt(clause, 'targetList'), target);
  walk(clause['whereClause'], deciding);
  scope.items.pop();
}

export function readUpdate(body: Tree, around: Around): Shape {
  const target = openTarget(body, around);
  const { relation, place } = target;
  showTarget(body, target);
  place.ledger.on('update', relation);
  readFrom(listAt(body, 'fromClause'), place);
  assign(listAt(body, 'targetList'), target);
  where(body['whereClause'], target);
  return returning(body, target);
}

export function readDelete(body: Tree, around: Around): Shape {
  const target = openTarget(body, around);
  const { relation, place } = target;
  showTarget(body, target);
  place.ledger.on('delete', relation);
  moved(relation, 'all', place.ledger);
  readFrom(listAt(body, 'usingClause'), place);
  where(body['whereClause'], target);
  return returning(body, target);
}

export function where(clause: Value | undefined, target: Target): void {
  walkCondition(clause, { ...target.place, use: 'filter' });
  if (!isBounded(clause, target)) target.place.ledger.bounded = false;
}

/** SET: what is written, and what the values are computed from. */
export function assign(list: readonly Value[], target: Target): void {
  const { ledger } = target.place;
  const assigned = list.map((value) => assignedColumn(value, target));
  for (const column of assigned) ledger.column(column, 'assign');
  for (const value of list) walk(bodyOf(value, 'ResTarget')?.['val'], target.place);
  checked(target.relation, assigned, 'update', ledger);
}

function assignedColumn(value: Value, target: Target): Column {
  const named = bodyOf(value, 'ResTarget');
  if (!named) throw unreadable('an assignment of unknown shape');
  for (const step of listAt(named, 'indirection')) if (bodyOf(step, 'A_Indices')) walk(step, target.place);
  return columnNamed(textAt(named, 'name'), target);
}

export function columnNamed(name: string, { relation }: Target): Column {
  const column = relation.byName.get(name);
  if (!column) throw unresolved('column', name);
  return column;
}

/** RETURNING: columns of the target and its other tables as themselves; rows before and after by `old` and `new`. */
export function returning(body: Tree, target: Target): Shape {
  const clause = treeAt(body, 'returningClause');
  if (!clause) return { outputs: [], open: undefined };
  const { relation, place } = target;
  place.ledger.reads(relation);
  const names = new Map([
    ['RETURNING_OPTION_OLD', 'old'],
    ['RETURNING_OPTION_NEW', 'new'],
  ]);
  for (const value of listAt(clause, 'options')) {
    const option = bodyOf(value, 'ReturningOption');
    if (option) names.set(textAt(option, 'option'), textAt(option, 'value'));
  }
  // An explicit name hides nothing; an implicit one gives way to a table that is really called so.
  const { items } = place.scope;
  const versions = [...names.values()].filter((name) => !items.some((item) => item.alias === name));
  spend(relation.columns.length);
  const outputs = relation.columns.map((column) => {
    return { name: column.name, sources: new Set([column]), total: true };
  });
  items.push(...versions.map((name) => unseen(name, { outputs, open: undefined })));
  return targets(listAt(clause, 'exprs'), place);
}

/** An item that only qualified names reach. */
function unseen(alias: string, shape: Shape): Item {
  return { ...shape, alias, schema: undefined, relation: undefined };
}
