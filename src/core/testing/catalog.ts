import type { CatalogRelation, CatalogSnapshot } from '../catalog.ts';
import type { SqlScope } from '../facts.ts';

/** A table of text columns for tests: `a0`, `a1`, …, the first so many of them labelled. */
export function textTable(oid: number, name: string, width: number, labelled = 0): CatalogRelation {
  const columns = Array.from({ length: width }, (_, n) => {
    const labels = n < labelled ? [{ label: 'pii.email', style: 'null' as const }] : [];
    return { name: `a${n}`, attribute: n + 1, type: 25, typeName: 'text', labels };
  });
  return { oid, schema: 'public', name, kind: 'r', labels: [], active: false, columns };
}

/** What a target's database holds, for tests: these relations and nothing else. */
export function snapshotOf(
  relations: readonly CatalogRelation[],
  more: Partial<CatalogSnapshot> = {},
): CatalogSnapshot {
  return {
    target: 'shop',
    database: 'postgres',
    epoch: 1,
    major: 18,
    targetLabels: [],
    relations,
    functions: [],
    schemas: ['public'],
    ...more,
  };
}

/** A session there that has changed nothing. */
export const freshScope: SqlScope = {
  target: 'shop',
  database: 'postgres',
  role: 'postgres',
  searchPath: ['pg_catalog', 'public'],
  temporary: [],
  uncommitted: [],
};
