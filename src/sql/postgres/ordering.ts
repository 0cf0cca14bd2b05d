import { operator } from './calls.ts';
import { spend } from './effort.ts';
import { type Place, walk } from './expressions.ts';
import { NOTHING, named, type Shape, type Sources, shapeSources, union } from './sources.ts';
import { bodyOf, listAt, stringOf, treeAt, type Value } from './tree.ts';

/** ORDER BY and DISTINCT ON: an output's position or name, else an expression (parse_clause.c, findTargetlistEntrySQL92). */
export function orderBy(items: readonly Value[], shape: Shape, place: Place): void {
  for (const item of items) {
    const sort = bodyOf(item, 'SortBy');
    if (sort && listAt(sort, 'useOp').length > 0) operator(listAt(sort, 'useOp'), place);
    const key = sort ? sort['node'] : item;
    const output = byPosition(key, shape) ?? byName(key, shape);
    if (output) place.ledger.columns(output, 'filter');
    else walk(key, place);
  }
}

/** GROUP BY: as above, but an input column of this level wins over an output's name. Both are taken down. */
export function groupBy(items: readonly Value[], shape: Shape, place: Place): void {
  for (const item of items) {
    const inner = bodyOf(item, 'GroupingSet') ?? bodyOf(item, 'RowExpr') ?? bodyOf(item, 'List');
    if (inner) {
      groupBy([...listAt(inner, 'content'), ...listAt(inner, 'args'), ...listAt(inner, 'items')], shape, place);
      continue;
    }
    const output = byPosition(item, shape) ?? byName(item, shape);
    if (output) place.ledger.columns(output, 'filter');
    const name = plainName(item);
    const input = name === undefined ? undefined : place.scope.ownName(name);
    if (input) place.ledger.columns(input.sources, 'filter');
    if (!output && !input) walk(item, place);
  }
}

/**
 * Where rows are grouped by a table's primary key its other columns may be used as they are. That does not work for a
 * subquery in its place.
 */
export function groupedByKey(items: readonly Value[], { scope }: Place): void {
  const plain = items.flatMap((item) => {
    const reference = bodyOf(item, 'ColumnRef');
    const [name, qualifier] = reference ? listAt(reference, 'fields').map(stringOf).reverse() : [];
    if (name === undefined) return [];
    return qualifier === undefined ? scope.named(name) : named(scope.item(qualifier)?.outputs ?? [], name);
  });
  const bySite = Map.groupBy(plain, ({ site }) => site);
  for (const { site, base } of plain) {
    if (!site || site.bound) continue;
    const key = base?.relation.constraints.find(
      ({ kind, columns }) => kind === 'key' && columns.includes(base.attribute),
    );
    if (!key) continue;
    const together = bySite.get(site) ?? [];
    spend(together.length);
    const grouped = together.map((other) => other.base?.attribute);
    if (key.columns.every((attribute) => grouped.includes(attribute))) site.bound = true;
  }
}

function byPosition(value: Value | undefined, shape: Shape): Sources | undefined {
  const constant = bodyOf(value, 'A_Const');
  const integer = constant && treeAt(constant, 'ival');
  if (!integer) return undefined;
  const position = integer['ival'];
  // Past what is known, or with columns before it that are not: it could be any.
  if (shape.open || typeof position !== 'number') return shapeSources(shape);
  return shape.outputs[position - 1]?.sources ?? NOTHING;
}

function byName(value: Value | undefined, shape: Shape): Sources | undefined {
  const name = plainName(value);
  if (name === undefined) return undefined;
  const found = named(shape.outputs, name);
  return found.length === 0 ? undefined : union(...found.map((output) => output.sources));
}

function plainName(value: Value | undefined): string | undefined {
  const reference = bodyOf(value, 'ColumnRef');
  const fields = reference ? listAt(reference, 'fields') : [];
  return fields.length === 1 ? stringOf(fields[0]) : undefined;
}
