import type { OwnRelation, SqlScope } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import type { Label } from '../../core/label.ts';
import type { Resource } from '../../core/resource.ts';
import type { CatalogIndex } from './catalog-index.ts';
import { CLASSES } from './data/functions.ts';
import type { FunctionClass } from './data/review.ts';
import { makeRelation, type Relation } from './relation.ts';
import { type Tree, textAt } from './tree.ts';

/** Resolves names as the server would on one connection at one moment: search_path, temporary relations, catalog. */
export class Names {
  readonly catalog: CatalogIndex;
  readonly scope: SqlScope;
  readonly #temporary = new Map<string, Relation>();
  readonly #temporarySchema: string | undefined;
  /** By schema and name, as the open transaction has them. */
  readonly #uncommitted = new Map<string, Relation>();

  constructor(catalog: CatalogIndex, scope: SqlScope) {
    this.catalog = catalog;
    this.scope = scope;
    this.#temporarySchema = scope.searchPath.find((schema) => schema.startsWith('pg_temp'));
    for (const own of scope.temporary) this.#temporary.set(own.name, this.#relationOf({ ...own, schema: 'pg_temp' }));
    for (const own of scope.uncommitted) this.#uncommitted.set(`${own.schema}\0${own.name}`, this.#relationOf(own));
  }

  /** Labels stay with a column whatever the transaction renamed: they are found by number, not by name. */
  #relationOf({ schema, name, oid, columns }: OwnRelation): Relation {
    const known = this.catalog.byOid(oid);
    const before = new Map(known?.columns.map((column) => [column.attribute, column]));
    const row = {
      oid,
      schema,
      name,
      kind: known?.kind ?? 'r',
      labels: known?.labels ?? [],
      columns: columns
        .toSorted((a, b) => a.attribute - b.attribute)
        .map((column) => {
          // Its type may be another by now.
          const { labels = [], generated = false } = before.get(column.attribute) ?? {};
          return { ...column, type: 0, labels, generated };
        }),
      active: known?.active ?? false,
      constraints: known?.constraints ?? [],
    };
    return makeRelation([this.scope.target, this.scope.database], row, this.labels);
  }

  /** Labels of the target, which everything in it inherits. */
  get labels(): readonly Label[] {
    return this.catalog.snapshot.targetLabels;
  }

  /** The relation a RangeVar names. Throws Fault SQL_UNRESOLVED. */
  relation(range: Tree): Relation {
    const found = this.findRelation(range);
    if (found) return found;
    const name = [textAt(range, 'schemaname'), textAt(range, 'relname')].filter((part) => part !== '').join('.');
    throw unresolved('relation', name);
  }

  findRelation(range: Tree): Relation | undefined {
    const database = textAt(range, 'catalogname');
    if (database !== '' && database !== this.scope.database) throw unresolved('database', database);
    const schema = textAt(range, 'schemaname');
    const name = textAt(range, 'relname');
    return schema === '' ? this.#searched(name) : this.#inSchema(schema, name);
  }

  #searched(name: string): Relation | undefined {
    for (const schema of this.scope.searchPath) {
      const found = this.#inSchema(schema, name);
      if (found) return found;
    }
    return undefined;
  }

  #inSchema(schema: string, name: string): Relation | undefined {
    if (schema === 'pg_temp' || schema === this.#temporarySchema) return this.#temporary.get(name);
    return this.#uncommitted.get(`${schema}\0${name}`) ?? this.catalog.relation(schema, name);
  }

  relationByOid(oid: number): Relation | undefined {
    const row = this.catalog.byOid(oid);
    return row && this.#inSchema(row.schema, row.name);
  }

  /** Every function a call by this name may reach; which one depends on argument types, so policy is asked about all. */
  functions(names: readonly string[]): FunctionChoice[] {
    const name = names.at(-1) ?? '';
    if (names.length > 3 || (names.length === 3 && names[0] !== this.scope.database)) {
      throw unresolved('function', names.join('.'));
    }
    const schema = names.at(-2);
    const choices: FunctionChoice[] = [];
    const having = this.catalog.functionSchemas(name);
    for (const candidate of schema === undefined ? this.scope.searchPath : [schema]) {
      const known = candidate === 'pg_catalog' ? CLASSES.get(name) : SCHEMA_HELPERS[candidate]?.get(name);
      if (known) choices.push({ class: known, resource: this.function(candidate, name) });
      else if (having.includes(candidate))
        choices.push({ class: 'unvetted', resource: this.function(candidate, name) });
    }
    return choices;
  }

  function(schema: string, name: string): Resource {
    return { kind: 'Function', path: [this.scope.target, this.scope.database, schema, name] };
  }

  schema(name: string): Resource {
    const folded = name === this.#temporarySchema ? 'pg_temp' : name;
    return { kind: 'Schema', path: [this.scope.target, this.scope.database, folded] };
  }

  setting(name: string): Resource {
    return { kind: 'Setting', path: [this.scope.target, this.scope.database, name] };
  }

  get database(): Resource {
    return { kind: 'Database', path: [this.scope.target, this.scope.database] };
  }

  /** Where an unqualified CREATE puts things: the first schema of the path that is not implicit. */
  creationSchema(): string | undefined {
    return this.scope.searchPath.find((schema) => schema !== 'pg_catalog' && !schema.startsWith('pg_temp'));
  }
}

/** What the views of information_schema call, and what tools call there: only a superuser could put others in their place. */
const SCHEMA_HELPERS: Readonly<Record<string, ReadonlyMap<string, FunctionClass>>> = {
  information_schema: new Map([
    ['_pg_expandarray', 'free'],
    ['_pg_index_position', 'catalog'],
    ...['_pg_truetypid', '_pg_truetypmod'].map((name) => [name, 'catalog'] as const),
  ]),
};

export interface FunctionChoice {
  readonly class: FunctionClass;
  readonly resource: Resource;
}

export function unresolved(kind: string, name: string): Fault {
  return new Fault('SQL_UNRESOLVED', `${kind} "${name.slice(0, 128)}" is not known here or is ambiguous`);
}

/** The parts of a name given as text, as regclass reads it: `public."My Table"`. Undefined when it is no name. */
export function splitName(text: string): string[] | undefined {
  const parts: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))\s*(\.|$)/y;
  while (pattern.lastIndex < text.length || parts.length === 0) {
    const found = pattern.exec(text);
    if (!found) return undefined;
    parts.push(found[1]?.replaceAll('""', '"') ?? (found[2] ?? '').toLowerCase());
    if (found[3] === '') return parts;
  }
  return undefined;
}
