import type { CatalogColumn, CatalogRelation, CatalogSnapshot } from '../../core/catalog.ts';
import type { CatalogConnection } from '../ports.ts';
import { number, type Row } from '../rows.ts';
import { isCatalog, partPattern } from '../rules.ts';
import type { TypeClass } from './names.ts';
import type { DiscoveryRequest, Skipped } from './proposal.ts';

/** A table whose columns are to be looked at. */
export interface Table {
  readonly relation: CatalogRelation;
  /** Rows as the server estimates them; undefined where it does not know. */
  readonly rows: number | undefined;
  readonly columns: readonly TableColumn[];
}

export interface TableColumn {
  readonly column: CatalogColumn;
  readonly type: TypeClass;
  /** How its values are read; undefined: its name is weighed, and nothing else. */
  readonly read: 'text' | 'json' | undefined;
}

export interface Tables {
  readonly tables: readonly Table[];
  readonly skipped: readonly Skipped[];
}

/** What the role may read of which tables, and what sort of type each column has. Children of another table are looked at with it. */
const READABLE = `
  select c.oid::int8 as relation, c.reltuples::float8 as rows,
    c.relispartition or exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid) as child,
    pg_catalog.json_agg(pg_catalog.json_build_array(a.attnum, y.typcategory, e.typcategory)) filter (
      where pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_column_privilege(c.oid, a.attnum, 'select')) as columns
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type y on y.oid = a.atttypid
  left join pg_catalog.pg_type e on e.oid = y.typelem and y.typcategory = 'A'
  where c.relkind in ('r', 'p') group by c.oid`;

type ColumnRow = readonly [attribute: number, category: string, element: string | null];

export async function readTables(
  connection: CatalogConnection,
  catalog: CatalogSnapshot,
  request: DiscoveryRequest,
): Promise<Tables> {
  const rows = new Map((await connection.query(READABLE)).map((row) => [number(row['relation']), row]));
  const skipped: Skipped[] = [];
  const tables = wanted(catalog, request.tables).flatMap((relation): Table[] => {
    const name = `${relation.schema}.${relation.name}`;
    const row = rows.get(relation.oid);
    if (relation.kind === 'f') skipped.push({ relation: name, why: 'a foreign table' });
    if (row === undefined || row['child'] === true) return [];
    const columns = columnsOf(relation, row, request);
    if (row['columns'] === null) skipped.push({ relation: name, why: 'the gateway’s role may not read it' });
    return columns.length === 0 ? [] : [{ relation, rows: estimate(row), columns }];
  });
  return { tables, skipped };
}

function wanted({ relations }: CatalogSnapshot, tables: string | undefined): readonly CatalogRelation[] {
  const [schema, name] = (tables ?? '*.*').split('.').map(partPattern);
  return relations
    .filter(({ kind }) => kind === 'r' || kind === 'p' || kind === 'f')
    .filter((one) => !isCatalog(one.schema) && schema?.test(one.schema) && name?.test(one.name));
}

function columnsOf(relation: CatalogRelation, row: Row, { all }: DiscoveryRequest): TableColumn[] {
  const readable = new Map(
    ((row['columns'] ?? []) as readonly ColumnRow[]).map(([attribute, ...categories]) => [attribute, categories]),
  );
  return relation.columns.flatMap((column): TableColumn[] => {
    const [category = '', element] = readable.get(column.attribute) ?? [];
    // A label on a path leaves the rest of a document to be looked at.
    const isLabelled = column.labels.some(({ path }) => path === undefined);
    if (category === '' || (isLabelled && !all)) return [];
    return [{ column, ...classify(column, category, element ?? undefined) }];
  });
}

// Oids of pg_type.dat.
const JSON_TYPES = new Set([114, 3802]);
const XML = 142;
const BYTES = 17;
/** Wide enough for a card or a phone number. */
const WIDE_NUMBERS = new Set([20, 1700]);

function classify(
  { type, base, typeName = '' }: CatalogColumn,
  category: string,
  element: string | undefined,
): Pick<TableColumn, 'type' | 'read'> {
  const oid = base?.type ?? type;
  if (JSON_TYPES.has(oid)) return { type: 'text', read: 'json' };
  switch (category) {
    case 'S':
      return { type: 'text', read: 'text' };
    case 'A':
      return element === 'S' || element === 'U' ? { type: 'text', read: 'text' } : { type: 'other', read: undefined };
    case 'I':
      return { type: 'network', read: 'text' };
    case 'N':
      return { type: 'number', read: WIDE_NUMBERS.has(oid) ? 'text' : undefined };
    case 'D':
      return { type: 'date', read: undefined };
    case 'E':
      return { type: 'text', read: undefined };
    default:
      if (oid === XML || /(^|\.)"?hstore"?$/.test(typeName)) return { type: 'text', read: 'text' };
      return { type: oid === BYTES ? 'text' : 'other', read: undefined };
  }
}

function estimate(row: Row): number | undefined {
  const rows = Number(row['rows']);
  return rows >= 0 ? rows : undefined;
}
