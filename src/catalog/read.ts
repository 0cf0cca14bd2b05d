import type { CatalogFunction, CatalogRelation } from '../core/catalog.ts';
import { Fault } from '../core/fault.ts';
import type { CatalogConnection } from './ports.ts';
import { FINGERPRINT, GENERATED, INHERITANCE, OPAQUE_VIEWS, SCHEMAS, VIEW_COLUMNS } from './queries.ts';
import { readFunctions, readRelations } from './relations.ts';
import { number, text } from './rows.ts';

/** A catalog as the server tells it, before anybody labelled anything. */
export interface RawCatalog {
  readonly fingerprint: string;
  readonly major: number;
  readonly schemas: readonly string[];
  readonly relations: readonly CatalogRelation[];
  readonly functions: readonly CatalogFunction[];
  readonly flows: readonly Flow[];
  /** Views whose values cannot be traced. */
  readonly opaque: readonly number[];
}

/** Values of one place may show up in another. Attribute 0: any of the relation. */
export interface Flow {
  readonly from: { readonly relation: number; readonly attribute: number };
  readonly to: { readonly relation: number; readonly attribute: number };
  /** Between columns of the same name, in both directions (inheritance). */
  readonly byName: boolean;
}

export interface CatalogVersion {
  readonly fingerprint: string;
  readonly major: number;
}

export async function readVersion(connection: CatalogConnection): Promise<CatalogVersion> {
  const [row] = await connection.query(FINGERPRINT);
  const major = Number(row?.['major']);
  if (row === undefined || !Number.isInteger(major))
    throw new Fault('CATALOG_UNREADABLE', 'the server does not tell its version');
  return { fingerprint: text(row['fingerprint']), major };
}

/** Reads everything in one snapshot, so that the parts fit together. Throws Fault CATALOG_UNREADABLE. */
export async function readRaw(connection: CatalogConnection): Promise<RawCatalog> {
  await connection.query('begin isolation level repeatable read read only');
  try {
    const { fingerprint, major } = await readVersion(connection);
    const schemas = (await connection.query(SCHEMAS)).map((row) => text(row['name']));
    const relations = await readRelations(connection);
    const functions = await readFunctions(connection);
    const opaque = (await connection.query(OPAQUE_VIEWS)).map((row) => number(row['view']));
    const flows = await readFlows(connection);
    return { fingerprint, major, schemas, relations, functions, flows, opaque };
  } finally {
    await connection.query('rollback');
  }
}

async function readFlows(connection: CatalogConnection): Promise<Flow[]> {
  const inherited = (await connection.query(INHERITANCE)).map((row): Flow => {
    const [child, parent] = [number(row['child']), number(row['parent'])];
    return { from: { relation: parent, attribute: 0 }, to: { relation: child, attribute: 0 }, byName: true };
  });
  const viewed = (await connection.query(VIEW_COLUMNS)).flatMap((row): Flow[] => {
    const attribute = number(row['attribute']);
    // Attribute 0 stands for the relation being named at all; values flow only where a whole row is used.
    if (attribute === 0 && row['whole_row'] !== true) return [];
    const from = { relation: number(row['relation']), attribute };
    return [{ from, to: { relation: number(row['view']), attribute: 0 }, byName: false }];
  });
  const generated = (await connection.query(GENERATED)).map((row): Flow => {
    const relation = number(row['relation']);
    return {
      from: { relation, attribute: number(row['source']) },
      to: { relation, attribute: number(row['attribute']) },
      byName: false,
    };
  });
  return [...inherited, ...viewed, ...generated];
}
