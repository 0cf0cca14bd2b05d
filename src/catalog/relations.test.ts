import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CatalogFunction, CatalogRelation } from '../core/catalog.ts';
import { targetAt } from '../core/testing/target.ts';
import { startPostgres, type ThrowawayPostgres } from '../devtools/postgres.ts';
import { connectCatalog } from './connection.ts';
import type { CatalogConnection } from './ports.ts';
import { inSnapshot, readRaw, readVersion } from './read.ts';

let server: ThrowawayPostgres;
let connection: CatalogConnection;
let relations: readonly CatalogRelation[];
let functions: readonly CatalogFunction[];

beforeAll(async () => {
  server = await startPostgres();
  await server.query(`
    create schema "Odd";
    create type "Odd".mood as enum ('good', 'bad');
    create domain "Odd".short as varchar(20);
    create domain public.shorter as "Odd".short check (length(value) < 10);
    create table parents (id int primary key, code text, kind int, constraint deferred unique (code) deferrable);
    create table things (
      a int, b int, c numeric(10, 2), d text[], e timestamp(3) with time zone, f "Odd".mood, g shorter, h char(5),
      i text generated always as (upper(h)) stored, j "Odd".short[], k int4range,
      primary key (a, b) include (c),
      constraint positive check (a > 0 and c > b),
      constraint whole check (things is not null),
      constraint apart exclude using gist (k with &&)
    );
    create unique index on parents (kind, id);
    alter table things add constraint one_of foreign key (b, a) references parents (kind, id);
    create unique index on things (lower(h), a) where c > 1;
    create unique index on things ((things is null));
    create index on things (e);
    create table late (id int primary key deferrable);
    create function definer() returns int language sql immutable security definer as 'select 1';
    create function plain() returns int language plpgsql as 'begin return 1; end';
  `);
  const target = targetAt(server);
  connection = await connectCatalog(target, 'postgres', { ...server, role: undefined });
  ({ relations, functions } = await inSnapshot(connection, async () =>
    readRaw(connection, await readVersion(connection)),
  ));
});

afterAll(async () => {
  await connection?.end();
  await server?.stop();
});

const named = (name: string) => relations.find((relation) => relation.name === name);

describe('the relations of a catalog', () => {
  it('have columns with the names of their types, modifiers and bases', () => {
    const columns = named('things')?.columns ?? [];
    expect(columns.map(({ name, typeName }) => `${name} ${typeName}`)).toEqual([
      'a integer',
      'b integer',
      'c numeric(10,2)',
      'd text[]',
      'e timestamp(3) with time zone',
      'f "Odd".mood',
      'g public.shorter',
      'h character(5)',
      'i text',
      'j "Odd".short[]',
      'k int4range',
    ]);
    expect(columns.filter((column) => column.base !== undefined)).toMatchObject([
      { name: 'g', base: { type: 1043, typeName: 'character varying(20)' } },
    ]);
    expect(columns.filter((column) => column.generated)).toMatchObject([{ name: 'i' }]);
  });

  it('have the constraints that look at their columns, and their unique indexes', () => {
    const parents = named('parents')?.oid;
    expect(named('things')?.constraints).toEqual([
      { kind: 'key', columns: [1, 2] },
      { kind: 'exclusion', columns: [11] },
      { kind: 'unique', columns: [1, 3, 8] },
      { kind: 'unique', columns: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
      { kind: 'check', columns: [1, 3, 2] },
      { kind: 'check', columns: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
      { kind: 'reference', columns: [2, 1], references: { relation: parents, columns: [3, 1] } },
    ]);
    expect(named('parents')?.constraints).toEqual([
      { kind: 'key', columns: [1] },
      { kind: 'unique', columns: [2] },
      { kind: 'unique', columns: [3, 1] },
    ]);
    expect(named('late')?.constraints).toEqual([{ kind: 'unique', columns: [1] }]);
  });

  it('come with functions and what is known of them', () => {
    expect(functions.filter(({ schema }) => schema === 'public')).toMatchObject([
      { name: 'definer', language: 'sql', volatility: 'immutable', securityDefiner: true },
      { name: 'plain', language: 'plpgsql', volatility: 'volatile', securityDefiner: false },
    ]);
  });

  it.each([
    'alter table late add constraint more check (id > 1)',
    'create unique index on late ((id + 1))',
    'alter table late drop constraint more',
    'alter domain shorter add check (length(value) > 0)',
    'alter type "Odd".mood rename to moods',
    'create rule nothing as on insert to late do instead nothing',
  ])('give another fingerprint after %s', async (statement) => {
    const before = await readVersion(connection);
    await server.query(statement);
    expect((await readVersion(connection)).fingerprint).not.toBe(before.fingerprint);
  });
});
