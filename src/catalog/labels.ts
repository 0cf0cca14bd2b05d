import type { CatalogColumn, CatalogRelation } from '../core/catalog.ts';
import type { ColumnLabel } from '../core/facts.ts';
import { strictestFirst } from '../core/obligation.ts';
import type { LabelRule } from './ports.ts';
import type { Flow, RawCatalog } from './read.ts';

/** Labels by relation and attribute; an entry is replaced, never changed. */
type Found = Map<number, Map<number, readonly ColumnLabel[]>>;

export interface Labelled {
  readonly relations: readonly CatalogRelation[];
  /** Rules that match no column: a typing error there would leave a column in the clear. */
  readonly unmatched: readonly string[];
  readonly direct: Direct;
}

/** What rules labelled, without what followed from it, by relation and attribute number. */
export type Direct = ReadonlyMap<number, ReadonlyMap<number, readonly ColumnLabel[]>>;

/**
 * Puts labels on columns by the rules, then lets them follow the values. `before` is what the same rules labelled
 * earlier: a column keeps its label when it is renamed, until the rules themselves change.
 */
export function labelRelations(raw: RawCatalog, rules: readonly LabelRule[], before: Direct = new Map()): Labelled {
  const found: Found = new Map();
  const byOid = new Map(raw.relations.map((relation) => [relation.oid, relation]));
  const unmatched = rules.filter((rule) => !applyRule(rule, raw.relations, found)).map((rule) => rule.column);
  for (const [oid, columns] of before) {
    for (const [attribute, labels] of columns) {
      if (byOid.get(oid)?.columns.some((column) => column.attribute === attribute)) add(found, oid, attribute, labels);
    }
  }
  const direct: Direct = new Map([...found].map(([oid, columns]) => [oid, new Map(columns)]));
  if (found.size > 0) {
    taint(raw.opaque, byOid, found);
    propagate(raw.flows, byOid, found);
  }
  const relations = raw.relations.map((relation) => {
    const labels = found.get(relation.oid);
    if (labels === undefined) return relation;
    const columns = relation.columns.map((column) => ({ ...column, labels: labels.get(column.attribute) ?? [] }));
    return { ...relation, columns };
  });
  return { relations, unmatched, direct };
}

/** Relations that hold values. */
const HOLDING = new Set(['r', 'v', 'm', 'p', 'f']);

function applyRule(rule: LabelRule, relations: readonly CatalogRelation[], found: Found): boolean {
  const [schema, relation, column] = rule.column.split('.').map(pattern);
  const label: ColumnLabel = {
    label: rule.label,
    style: rule.mask,
    ...(rule.constant === undefined ? {} : { constant: rule.constant }),
  };
  let matched = false;
  for (const each of relations) {
    if (!HOLDING.has(each.kind) || isCatalog(each.schema) || !schema?.test(each.schema) || !relation?.test(each.name))
      continue;
    for (const one of each.columns) {
      if (!column?.test(one.name)) continue;
      matched = true;
      add(found, each.oid, one.attribute, [label]);
    }
  }
  return matched;
}

function isCatalog(schema: string): boolean {
  return schema === 'pg_catalog' || schema === 'information_schema' || schema === 'pg_toast';
}

function pattern(part: string): RegExp {
  const pieces = part.split('*').map((piece) => {
    const plain = piece.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    return plain.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${pieces.join('.*')}$`, 's');
}

/** What an untraceable view shows could be anything that is labelled in this database. */
function taint(opaque: readonly number[], byOid: ReadonlyMap<number, CatalogRelation>, found: Found): void {
  const all = [...found.values()].flatMap((columns) => [...columns.values()].flat());
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
      if (flow.byName) moved = alike(from, to, found) || alike(to, from, found) || moved;
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
  const labels = flow.from.attribute === 0 ? [...sources.values()].flat() : (sources.get(flow.from.attribute) ?? []);
  const targets: readonly Pick<CatalogColumn, 'attribute'>[] =
    flow.to.attribute === 0 ? to.columns : [{ attribute: flow.to.attribute }];
  return targets.map(({ attribute }) => add(found, to.oid, attribute, labels)).some(Boolean);
}

/** True when the column did not have all of them. */
function add(found: Found, relation: number, attribute: number, labels: readonly ColumnLabel[]): boolean {
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
  return (b) => a.label === b.label && a.style === b.style && a.constant === b.constant;
}
