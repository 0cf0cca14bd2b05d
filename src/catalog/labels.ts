import type { CatalogColumn, CatalogRelation } from '../core/catalog.ts';
import type { ColumnLabel } from '../core/facts.ts';
import { strictestFirst } from '../core/obligation.ts';
import type { Flow } from './read.ts';

/** Labels by relation and attribute number. */
export type Labels = ReadonlyMap<number, ReadonlyMap<number, readonly ColumnLabel[]>>;
/** The same while it grows; an entry is replaced, never changed. */
export type Found = Map<number, Map<number, readonly ColumnLabel[]>>;

/** Where values may show up, and relations in which any value of the database may. */
export interface Currents {
  readonly flows: readonly Flow[];
  readonly opaque: Iterable<number>;
}

/** Lets labels follow the values. */
export function follow(direct: Labels, relations: readonly CatalogRelation[], { flows, opaque }: Currents): Labels {
  const found: Found = new Map([...direct].map(([oid, columns]) => [oid, new Map(columns)]));
  if (found.size === 0) return found;
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]));
  taint(opaque, byOid, found);
  propagate(flows, byOid, found);
  return found;
}

export function withLabels(relations: readonly CatalogRelation[], found: Labels): CatalogRelation[] {
  return relations.map((relation) => {
    const labels = found.get(relation.oid);
    if (labels === undefined) return relation;
    const columns = relation.columns.map((column) => ({ ...column, labels: labels.get(column.attribute) ?? [] }));
    return { ...relation, columns };
  });
}

/** What an untraceable view shows could be anything that is labelled in this database. */
function taint(opaque: Iterable<number>, byOid: ReadonlyMap<number, CatalogRelation>, found: Found): void {
  const all = [...found.values()].flatMap((columns) => [...columns.values()].flat()).map(whole);
  for (const oid of opaque) {
    for (const column of byOid.get(oid)?.columns ?? []) add(found, oid, column.attribute, all);
  }
}

function propagate(flows: readonly Flow[], byOid: ReadonlyMap<number, CatalogRelation>, found: Found): void {
  // Each round adds at least one label somewhere or is the last, and there are finitely many.
  for (let moved = true; moved; ) {
    moved = false;
    for (const flow of flows) {
      const from = byOid.get(flow.from.relation);
      const to = byOid.get(flow.to.relation);
      if (from === undefined || to === undefined) continue;
      if (flow.how === 'kin') moved = alike(from, to, found) || alike(to, from, found) || moved;
      else moved = pour(flow, to, found) || moved;
    }
  }
}

function alike(from: CatalogRelation, to: CatalogRelation, found: Found): boolean {
  let moved = false;
  for (const [attribute, labels] of found.get(from.oid) ?? []) {
    const name = from.columns.find((column) => column.attribute === attribute)?.name;
    const target = to.columns.find((column) => column.name === name);
    if (target !== undefined) moved = add(found, to.oid, target.attribute, labels) || moved;
  }
  return moved;
}

function pour(flow: Flow, to: CatalogRelation, found: Found): boolean {
  const sources = found.get(flow.from.relation);
  if (sources === undefined) return false;
  const own = flow.from.attribute === 0 ? [...sources.values()].flat() : (sources.get(flow.from.attribute) ?? []);
  const labels = flow.how === 'copy' ? own : own.map(whole);
  const targets: readonly Pick<CatalogColumn, 'attribute'>[] =
    flow.to.attribute === 0 ? to.columns : [{ attribute: flow.to.attribute }];
  return targets.map(({ attribute }) => add(found, to.oid, attribute, labels)).some(Boolean);
}

/** Where in a computed value the part lies that was labelled, nobody knows. */
function whole(label: ColumnLabel): ColumnLabel {
  const { path, ...rest } = label;
  return path === undefined ? label : rest;
}

/** True when the column did not have all of them. */
export function add(found: Found, relation: number, attribute: number, labels: readonly ColumnLabel[]): boolean {
  if (labels.length === 0) return false;
  const columns = found.get(relation) ?? new Map<number, readonly ColumnLabel[]>();
  const before = columns.get(attribute) ?? [];
  const fresh = labels.filter((label, i) => !before.some(same(label)) && labels.findIndex(same(label)) === i);
  if (fresh.length === 0) return false;
  columns.set(attribute, [...before, ...fresh].toSorted(strictestFirst));
  found.set(relation, columns);
  return true;
}

function same(a: ColumnLabel): (b: ColumnLabel) => boolean {
  const path = JSON.stringify(a.path);
  return (b) =>
    a.label === b.label &&
    a.style === b.style &&
    a.constant === b.constant &&
    a.derive === b.derive &&
    path === JSON.stringify(b.path);
}
