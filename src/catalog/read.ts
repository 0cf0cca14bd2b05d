import type { CatalogFunction, CatalogRelation } from '../core/catalog.ts';
import { Fault } from '../core/fault.ts';
import type { CatalogConnection } from './ports.ts';
import { FINGERPRINT, GENERATED, INHERITANCE, OPAQUE_VIEWS, SCHEMAS, VIEW_COLUMNS } from './queries.ts';
import { readFunctions, readRelations } from './relations.ts';
import { number, text } from './rows.ts';

/** A catalog as the server tells it, before anybody labelled anything. */
export interface RawCatalog extends CatalogVersion {
  readonly schemas: readonly string[];
  readonly relations: readonly CatalogRelation[];
  readonly functions: readonly CatalogFunction[];
  /** Through inheritance and generated columns. */
  readonly flows: readonly Flow[];
  readonly views: ReadonlyMap<number, ViewUse>;
  /** Views whose values cannot be traced. */
  readonly opaque: ReadonlySet<number>;
}

export interface Place {
  readonly relation: number;
  readonly attribute: number;
}

/** Values of one place may show up in another. Attribute 0: any of the relation. */
export interface Flow {
  readonly from: Place;
  readonly to: Place;
  /** `kin`: between columns of the same name, in both directions (inheritance). `copy`: untouched. */
  readonly how: 'kin' | 'copy' | 'computed';
}

/** What a view uses in whatever way. */
export interface ViewUse {
  /** Another whenever the view is defined anew. */
  readonly rule: string;
  readonly columns: readonly Place[];
  readonly relations: readonly number[];
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

/** What is read within `use` fits together. Throws Fault CATALOG_UNREADABLE. */
export async function inSnapshot<T>(connection: CatalogConnection, use: () => Promise<T>): Promise<T> {
  await connection.query('begin isolation level repeatable read read only');
  try {
    return await use();
  } finally {
    await connection.query('rollback');
  }
}

/** To be called in the snapshot that `version` was read in. */
export async function readRaw(connection: CatalogConnection, version: CatalogVersion): Promise<RawCatalog> {
  const schemas = (await connection.query(SCHEMAS)).map((row) => text(row['name']));
  const relations = await readRelations(connection);
  const functions = await readFunctions(connection);
  const opaque = new Set((await connection.query(OPAQUE_VIEWS)).map((row) => number(row['view'])));
  const views = await readViews(connection);
  return { ...version, schemas, relations, functions, flows: await readFlows(connection), views, opaque };
}

async function readFlows(connection: CatalogConnection): Promise<Flow[]> {
  const inherited = (await connection.query(INHERITANCE)).map((row): Flow => {
    const [child, parent] = [number(row['child']), number(row['parent'])];
    return { from: { relation: parent, attribute: 0 }, to: { relation: child, attribute: 0 }, how: 'kin' };
  });
  const generated = (await connection.query(GENERATED)).map((row): Flow => {
    const relation = number(row['relation']);
    return {
      from: { relation, attribute: number(row['source']) },
      to: { relation, attribute: number(row['attribute']) },
      how: 'computed',
    };
  });
  return [...inherited, ...generated];
}

async function readViews(connection: CatalogConnection): Promise<Map<number, ViewUse>> {
  const views = new Map<number, { rule: string; columns: Place[]; relations: Set<number> }>();
  for (const row of await connection.query(VIEW_COLUMNS)) {
    const [view, relation, attribute] = [number(row['view']), number(row['relation']), number(row['attribute'])];
    const use = views.get(view) ?? { rule: text(row['rule']), columns: [], relations: new Set() };
    views.set(view, use);
    use.relations.add(relation);
    // Attribute 0 stands for the relation being named at all, where none of its columns is.
    if (row['whole_row'] === true) use.columns.push({ relation, attribute: 0 });
    else if (attribute !== 0) use.columns.push({ relation, attribute });
  }
  return new Map([...views].map(([view, use]) => [view, { ...use, relations: [...use.relations] }]));
}
