import type { CatalogRelation, CatalogSnapshot } from '../../core/catalog.ts';
import { makeRelation, type Relation } from './relation.ts';

/** A snapshot made ready for look-ups. Made once per epoch; relations are built when first named. */
export class CatalogIndex {
  readonly snapshot: CatalogSnapshot;
  readonly schemas: ReadonlySet<string>;
  readonly #rows: ReadonlyMap<string, ReadonlyMap<string, CatalogRelation>>;
  #byOid: ReadonlyMap<number, CatalogRelation> | undefined;
  #referencing: ReadonlyMap<number, readonly CatalogRelation[]> | undefined;
  readonly #built = new Map<CatalogRelation, Relation>();
  /** Function name -> schemas that have one. */
  readonly #functions: ReadonlyMap<string, readonly string[]>;

  constructor(snapshot: CatalogSnapshot) {
    this.snapshot = snapshot;
    this.schemas = new Set(snapshot.schemas);
    const rows = new Map<string, Map<string, CatalogRelation>>();
    for (const row of snapshot.relations) {
      const named = rows.get(row.schema) ?? new Map<string, CatalogRelation>();
      rows.set(row.schema, named.set(row.name, row));
    }
    this.#rows = rows;
    const functions = new Map<string, string[]>();
    for (const { schema, name } of snapshot.functions) {
      const schemas = functions.get(name) ?? [];
      if (!schemas.includes(schema)) functions.set(name, [...schemas, schema]);
    }
    this.#functions = functions;
  }

  byOid(oid: number): CatalogRelation | undefined {
    this.#byOid ??= new Map(this.snapshot.relations.map((row) => [row.oid, row]));
    return this.#byOid.get(oid);
  }

  /** Relations whose foreign keys look into this one. */
  referencing(oid: number): readonly Relation[] {
    this.#referencing ??= referencing(this.snapshot.relations);
    return (this.#referencing.get(oid) ?? []).flatMap(({ schema, name }) => this.relation(schema, name) ?? []);
  }

  relation(schema: string, name: string): Relation | undefined {
    const row = this.#rows.get(schema)?.get(name);
    if (!row) return undefined;
    const built = this.#built.get(row);
    if (built) return built;
    const { target, database, targetLabels } = this.snapshot;
    const relation = makeRelation([target, database], row, targetLabels);
    this.#built.set(row, relation);
    return relation;
  }

  /** Schemas outside pg_catalog that have a function of this name. */
  functionSchemas(name: string): readonly string[] {
    return this.#functions.get(name) ?? [];
  }
}

function referencing(relations: readonly CatalogRelation[]): Map<number, CatalogRelation[]> {
  const found = new Map<number, CatalogRelation[]>();
  for (const relation of relations) {
    for (const { references } of relation.constraints ?? []) {
      if (references) found.set(references.relation, [...(found.get(references.relation) ?? []), relation]);
    }
  }
  return found;
}
