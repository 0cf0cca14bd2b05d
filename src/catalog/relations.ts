import type { CatalogColumn, CatalogConstraint, CatalogFunction, CatalogRelation } from '../core/catalog.ts';
import { Fault } from '../core/fault.ts';
import type { CatalogConnection } from './ports.ts';
import { CONSTRAINTS, FUNCTIONS, GUARDS, RELATIONS, TYPES } from './queries.ts';
import { number, numbers, type Row, text } from './rows.ts';

/** The relations of a database with their columns and what guards their rows, without labels. */
export async function readRelations(connection: CatalogConnection): Promise<CatalogRelation[]> {
  const types = typesOf(await connection.query(TYPES));
  const relations = await connection.query(RELATIONS);
  const rules = [...(await connection.query(GUARDS)), ...(await connection.query(CONSTRAINTS))];
  const guards = new Map<number, Row[]>();
  for (const row of rules) {
    const relation = number(row['relation']);
    const known = guards.get(relation);
    if (known) known.push(row);
    else guards.set(relation, [row]);
  }
  return relations.map((row) => relationOf(row, types, guards));
}

export async function readFunctions(connection: CatalogConnection): Promise<CatalogFunction[]> {
  return (await connection.query(FUNCTIONS)).map((row) => {
    const volatility = VOLATILITIES[text(row['volatility'])];
    return {
      oid: number(row['oid']),
      schema: text(row['schema']),
      name: text(row['name']),
      language: text(row['language']),
      ...(volatility === undefined ? {} : { volatility }),
      securityDefiner: row['definer'] === true,
    };
  });
}

const VOLATILITIES: Readonly<Record<string, CatalogFunction['volatility']>> = {
  i: 'immutable',
  s: 'stable',
  v: 'volatile',
};

type TypeWords = Pick<CatalogColumn, 'typeName' | 'base'>;
type Types = ReadonlyMap<string, TypeWords>;

function typesOf(rows: readonly Row[]): Types {
  return new Map(
    rows.map((row) => {
      const base = row['base'] === null ? undefined : number(row['base']);
      const words: TypeWords = {
        typeName: text(row['name']),
        ...(base === undefined ? {} : { base: { type: base, typeName: text(row['base_name']) } }),
      };
      return [`${number(row['type'])} ${number(row['modifier'])}`, words];
    }),
  );
}

type ColumnRow = readonly [name: string, attribute: number, type: number, modifier: number, generated: boolean];

function relationOf(row: Row, types: Types, guards: ReadonlyMap<number, readonly Row[]>): CatalogRelation {
  const oid = number(row['oid']);
  const columns = ((row['columns'] ?? []) as readonly ColumnRow[]).map(
    ([name, attribute, type, modifier, generated]): CatalogColumn => ({
      name,
      attribute,
      type,
      ...types.get(`${type} ${modifier}`),
      ...(generated ? { generated } : {}),
      labels: [],
    }),
  );
  const guarded = guards.get(oid);
  return {
    oid,
    schema: text(row['schema']),
    name: text(row['name']),
    kind: text(row['kind']),
    labels: [],
    active: row['active'] === true,
    columns,
    ...(guarded === undefined ? {} : { constraints: guarded.map((one) => constraintOf(one, columns)) }),
  };
}

function constraintOf(row: Row, all: readonly CatalogColumn[]): CatalogConstraint {
  const kind = kindOf(row);
  const found = [...numbers(row['columns']), ...numbers(row['used'])];
  // In a check, attribute 0 is the whole row; in an index it is an expression, whose columns are in `used`.
  const whole = row['whole_row'] === true || (kind === 'check' && found.includes(0));
  const columns = whole ? all.map((column) => column.attribute) : [...new Set(found)].filter((one) => one > 0);
  if (kind !== 'reference') return { kind, columns };
  return { kind, columns, references: { relation: number(row['other']), columns: numbers(row['other_columns']) } };
}

function kindOf(row: Row): CatalogConstraint['kind'] {
  switch (row['type']) {
    case 'p':
      return row['deferrable'] === true ? 'unique' : 'key';
    case 'x':
      return 'exclusion';
    case 'c':
      return 'check';
    case 'f':
      return 'reference';
    case 'u':
    case null:
      return 'unique';
    default:
      throw new Fault('CATALOG_UNREADABLE', 'the server answered with a constraint of an unknown kind');
  }
}
