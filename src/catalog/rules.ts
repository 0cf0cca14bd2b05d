import type { CatalogColumn, CatalogRelation } from '../core/catalog.ts';
import type { ColumnLabel } from '../core/facts.ts';
import { add, type Found, type Labels } from './labels.ts';
import type { LabelRule } from './ports.ts';

export interface Ruled {
  /** What rules labelled, without what follows from it. */
  readonly direct: Labels;
  /** A typing error in a rule would leave a column in the clear. */
  readonly problems: readonly string[];
}

/**
 * Puts labels on columns by the rules. `before` is what the same rules labelled earlier: a column keeps its label when
 * it is renamed, until the rules themselves change.
 */
export function applyRules(
  relations: readonly CatalogRelation[],
  rules: readonly LabelRule[],
  before: Labels = new Map(),
): Ruled {
  const found: Found = new Map();
  const problems = rules.flatMap((rule) => applyRule(rule, relations, found));
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]));
  for (const [oid, columns] of before) {
    for (const [attribute, labels] of columns) {
      if (byOid.get(oid)?.columns.some((column) => column.attribute === attribute)) add(found, oid, attribute, labels);
    }
  }
  return { direct: found, problems };
}

/** Relations that hold values. */
const HOLDING = new Set(['r', 'v', 'm', 'p', 'f']);

/** Oids of json and jsonb (pg_type.dat). */
const JSON_TYPES = new Set([114, 3802]);

function applyRule(rule: LabelRule, relations: readonly CatalogRelation[], found: Found): string[] {
  const [schema, relation, column] = rule.column.split('.').map(partPattern);
  const { path, ...whole } = labelOf(rule);
  let matched = false;
  const unfit: string[] = [];
  for (const each of relations) {
    if (!HOLDING.has(each.kind) || isCatalog(each.schema) || !schema?.test(each.schema) || !relation?.test(each.name))
      continue;
    for (const one of each.columns) {
      if (!column?.test(one.name)) continue;
      matched = true;
      const fits = path === undefined || hasPaths(one);
      if (!fits) unfit.push(`${each.schema}.${each.name}.${one.name}`);
      add(found, each.oid, one.attribute, [path !== undefined && fits ? { ...whole, path } : whole]);
    }
  }
  // What is about names anywhere may wait for one to come; what names a place has a typing error in it.
  if (!matched) return rule.column.startsWith('*.*.') ? [] : [`the label rule ${rule.column} matches no column`];
  if (unfit.length === 0) return [];
  const named = unfit.slice(0, 3).join(', ') + (unfit.length > 3 ? ` and ${unfit.length - 3} more` : '');
  return [`the label rule ${rule.column} has a path, but ${named} is no json: its whole value is labelled`];
}

function labelOf(rule: LabelRule): ColumnLabel {
  return {
    label: rule.label,
    style: rule.mask,
    ...(rule.constant === undefined ? {} : { constant: rule.constant }),
    ...(rule.path === undefined ? {} : { path: rule.path }),
    ...(rule.derive === undefined ? {} : { derive: rule.derive }),
  };
}

function hasPaths({ type, base }: CatalogColumn): boolean {
  return JSON_TYPES.has(base?.type ?? type);
}

export function isCatalog(schema: string): boolean {
  return schema === 'pg_catalog' || schema === 'information_schema' || schema === 'pg_toast';
}

/** One part of a label rule's `schema.relation.column`. */
export function partPattern(part: string): RegExp {
  const pieces = part.split('*').map((piece) => {
    const plain = piece.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    return plain.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${pieces.join('.*')}$`, 's');
}
