import { attribute, call, onceFunction, operator } from './calls.ts';
import { spend } from './effort.ts';
import { apart } from './json-access.ts';
import type { Ledger } from './ledger.ts';
import { unresolved } from './names.ts';
import { readQuery } from './query.ts';
import { columnOf, type Found, type Item, type Scope } from './scope.ts';
import { type FieldKind, SHAPES } from './shapes.ts';
import { NOTHING, named, type Shape, type Sources, shapeSources, union, useWhole } from './sources.ts';
import {
  bodyOf,
  isTree,
  listAt,
  namesOf,
  nodeOf,
  stringOf,
  type Tree,
  textAt,
  unreadable,
  type Value,
} from './tree.ts';

/** Where an expression stands and what becomes of its value. */
export interface Place {
  readonly ledger: Ledger;
  readonly scope: Scope;
  /**
   * `derive`: its value goes somewhere. `filter`: it decides about rows. `carry`: its value is computed by total
   * functions alone, and whoever uses what comes of it takes that down.
   */
  readonly use: 'derive' | 'filter' | 'carry';
}

/** Deeper than any honest expression; the thread's stack holds several times as much. */
const DEEPEST = 3_000;

/**
 * Takes down every column and function of an expression, a list of expressions, or nothing, and tells which columns
 * its value is computed from. Throws Fault for what it does not know.
 */
export function walk(value: Value | undefined, place: Place): Sources {
  if (value === undefined || value === null) return NOTHING;
  if (Array.isArray(value)) return union(...value.map((each) => walk(each, place)));
  const { tag, body } = nodeOf(value);
  place.ledger.depth += 1;
  if (place.ledger.depth > DEEPEST) throw unreadable('it nests too deep');
  const sources = walkNode(tag, body, place);
  place.ledger.depth -= 1;
  return sources;
}

function walkNode(tag: string, body: Tree, place: Place): Sources {
  spend(1);
  switch (tag) {
    case 'ColumnRef':
      return reference(body, place);
    case 'A_Expr': {
      const column = apart({ A_Expr: body }, resolve, place);
      if (column) {
        place.ledger.besides(column, place.use === 'filter' ? 'filter' : 'derive');
        return NOTHING;
      }
      operator(listAt(body, 'name'), place);
      return union(walk(body['lexpr'], place), walk(body['rexpr'], place));
    }
    case 'A_Indirection':
      return indirection(body, place);
    case 'SubLink':
      return subLink(body, place);
    case 'FuncCall':
      return call(body, place);
    case 'SortBy':
      if (listAt(body, 'useOp').length > 0) operator(listAt(body, 'useOp'), place);
      return walk(body['node'], place);
    case 'JsonArrayQueryConstructor': {
      onceFunction(tag, place);
      return taken(readQuery(body['query'], place), place);
    }
    default:
      onceFunction(tag === 'JsonFuncExpr' ? textAt(body, 'op') : tag, place);
      return fields(tag, body, place);
  }
}

function fields(tag: string, body: Tree, place: Place): Sources {
  const shape = Object.hasOwn(SHAPES, tag) ? SHAPES[tag] : undefined;
  if (!shape) throw unreadable(`it contains ${tag}`);
  const found: Sources[] = [];
  for (const [field, value] of Object.entries(body)) {
    const kind: FieldKind | undefined = Object.hasOwn(shape, field) ? shape[field] : undefined;
    if (kind === undefined) throw unreadable(`${tag} has ${field}`);
    if (kind === 'node') found.push(walk(value, place));
    else if (kind === 'order') found.push(walk(value, { ...place, use: 'filter' }));
    else if (kind !== 'skip') found.push(untagged(kind.as, value, place));
  }
  return union(...found);
}

/** A field whose type is fixed, so that the parser left its tag out. */
export function untagged(tag: string, value: Value | undefined, place: Place): Sources {
  if (value === undefined || value === null) return NOTHING;
  if (Array.isArray(value)) return union(...value.map((each) => untagged(tag, each, place)));
  if (!isTree(value)) throw unreadable(`${tag} of unknown shape`);
  return walkNode(tag, value, place);
}

function reference(body: Tree, place: Place): Sources {
  const { sources, base, site } = resolve(body, place);
  const { ledger, use } = place;
  if (use === 'carry') return sources;
  if (use === 'filter' && base && site) ledger.decides(base, { site, reference: body });
  else ledger.columns(sources, use);
  return sources;
}

/** What a ColumnRef means. Only calls made by attribute notation (`c.row_to_json`) are taken down here. */
export function resolve(body: Tree, place: Place): Found {
  const fields = listAt(body, 'fields');
  if (bodyOf(fields.at(-1), 'A_Star')) {
    const shape = star(body, place);
    return { sources: shapeSources(shape) };
  }
  const names = namesOf(fields);
  const name = names.at(-1) ?? '';
  if (names.length === 1) return place.scope.name(name);
  const item = itemOf(names.slice(0, -1), place);
  if (item.site) place.ledger.sites.qualified(body, item.site, names.length - 1);
  const found = columnOf(item, name);
  // Where columns are not all known, it may be a call after all.
  if (item.open && named(item.outputs, name).length === 0) attribute(name, place);
  if (found) return found;
  useWhole(item.outputs);
  const row = shapeSources(item);
  if (!attribute(name, place)) throw unresolved('column', names.join('.'));
  place.ledger.columns(row, 'derive');
  return { sources: row };
}

function itemOf(qualifier: readonly string[], { scope, ledger }: Place): Item {
  const alias = qualifier.at(-1) ?? '';
  const database = qualifier.length === 3 ? qualifier[0] : undefined;
  if (qualifier.length > 3 || (database !== undefined && database !== ledger.names.scope.database)) {
    throw unresolved('table', qualifier.join('.'));
  }
  const item = scope.item(alias, qualifier.at(-2));
  if (!item) throw unresolved('table', qualifier.join('.'));
  return item;
}

/** What `*`, `t.*` or `s.t.*` stands for. */
export function star(reference: Tree, { scope, ledger }: Place): Shape {
  const qualifier = namesOf(listAt(reference, 'fields').slice(0, -1));
  const alias = qualifier.at(-1);
  if (alias === undefined) return scope.star();
  const item = scope.item(alias, qualifier.at(-2));
  if (!item) throw unresolved('table', qualifier.join('.'));
  useWhole(item.outputs);
  if (item.site) ledger.sites.qualified(reference, item.site, qualifier.length);
  return item;
}

/** `(c).email`, `(f(x)).*`, `a[1]`: everything the base gives, however little is picked; a field may also be a call. */
function indirection(body: Tree, place: Place): Sources {
  const base = bodyOf(body['arg'], 'ColumnRef');
  const row = base && rowOf(base, place);
  const found = [walk(body['arg'], place)];
  for (const step of listAt(body, 'indirection')) {
    const field = stringOf(step);
    if (field !== undefined) {
      if (!row || named(row.outputs, field).length === 0) attribute(field, place);
    } else if (!bodyOf(step, 'A_Star')) {
      found.push(walk(step, place));
    }
  }
  return union(...found);
}

function rowOf(reference: Tree, place: Place): Item | undefined {
  const [only, more] = listAt(reference, 'fields');
  const name = stringOf(only);
  return name === undefined || more !== undefined ? undefined : place.scope.name(name).row;
}

function subLink(body: Tree, place: Place): Sources {
  if (listAt(body, 'operName').length > 0) operator(listAt(body, 'operName'), place);
  const shape = readQuery(body['subselect'], place);
  // EXISTS asks for rows; what its target list says is never computed.
  if (textAt(body, 'subLinkType') === 'EXISTS_SUBLINK') return NOTHING;
  return union(walk(body['testexpr'], place), taken(shape, place));
}

/** The result of a query becomes part of a value. */
function taken(shape: Shape, place: Place): Sources {
  const sources = shapeSources(shape);
  place.ledger.columns(sources, place.use === 'carry' ? 'derive' : place.use);
  return sources;
}

export function isWholeRow(value: Value | undefined, place: Place): Item | undefined {
  const reference = bodyOf(value, 'ColumnRef');
  return reference && rowOf(reference, place);
}
