import type { CatalogColumn, CatalogConstraint, CatalogRelation } from '../../core/catalog.ts';
import type { ColumnLabel } from '../../core/facts.ts';
import type { Label } from '../../core/label.ts';
import type { Resource } from '../../core/resource.ts';
import { RELATIONS, restrictedColumns } from './data/relations.ts';

/** A relation as statements see it. One object per relation and epoch, so that identity is equality. */
export interface Relation {
  readonly oid: number;
  readonly resource: Resource;
  readonly labels: readonly Label[];
  readonly kind: string;
  /** Some column of it has a label. */
  readonly labelled: boolean;
  readonly constraints: readonly CatalogConstraint[];
  /** What reading it is called: plain tables are selected, catalog relations introspected where the allow-list says so. */
  readonly reading: 'select' | 'introspect' | 'admin';
  readonly columns: readonly Column[];
  readonly byName: ReadonlyMap<string, Column>;
}

/** A column of a relation; system columns have negative attribute numbers. */
export interface Column {
  readonly relation: Relation;
  readonly name: string;
  readonly attribute: number;
  readonly type: number;
  /** Undefined where no value of the type can be made. */
  readonly typeName?: string | undefined;
  readonly base?: CatalogColumn['base'];
  readonly generated: boolean;
  readonly labels: readonly ColumnLabel[];
  /** A catalog column that shows sources, queries or secrets: touching it is `admin`. */
  readonly restricted: boolean;
}

/** sysattr.h */
const SYSTEM_COLUMNS: readonly (readonly [string, number])[] = [
  ['ctid', -1],
  ['xmin', -2],
  ['cmin', -3],
  ['xmax', -4],
  ['cmax', -5],
  ['tableoid', -6],
];

/** Schemas whose relations describe the database instead of holding its data. */
export const CATALOG_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

export function makeRelation(
  database: readonly [target: string, database: string],
  from: CatalogRelation,
  targetLabels: readonly Label[],
): Relation {
  const path = [...database, from.schema, from.name];
  const restricted = restrictedColumns(from.schema, from.name);
  const columns: Column[] = [];
  const byName = new Map<string, Column>();
  const relation: Relation = {
    oid: from.oid,
    resource: { kind: 'Table', path },
    labels: [...new Set([...targetLabels, ...from.labels])],
    kind: from.kind,
    labelled: from.columns.some(({ labels }) => labels.length > 0),
    constraints: from.constraints ?? [],
    reading: readingOf(from.schema, from.name),
    columns,
    byName,
  };
  for (const [name, attribute] of SYSTEM_COLUMNS) {
    byName.set(name, { relation, name, attribute, type: 0, generated: false, labels: [], restricted: false });
  }
  for (const { name, generated = false, ...own } of from.columns) {
    const column: Column = { ...own, relation, name, generated, restricted: restricted.has(name) };
    columns.push(column);
    byName.set(name, column);
  }
  return relation;
}

function readingOf(schema: string, name: string): Relation['reading'] {
  if (!CATALOG_SCHEMAS.has(schema)) return 'select';
  return RELATIONS.get(schema)?.has(name) ? 'introspect' : 'admin';
}
