import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CatalogSnapshot } from '../core/catalog.ts';
import { targetAt } from '../core/testing/target.ts';
import { startPostgres, type ThrowawayPostgres } from '../devtools/postgres.ts';
import { Catalogs } from './catalogs.ts';
import { connectCatalog } from './connection.ts';
import type { CatalogRules } from './ports.ts';

let server: ThrowawayPostgres;
let rules: CatalogRules;
let problems: string[];
let catalogs: Catalogs;

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

beforeAll(async () => {
  server = await startPostgres();
  await server.query(`
    create table customers (id int primary key, name text, email text, shout text generated always as (upper(email)) stored);
    create table orders (id int, customer int, total numeric);
    create view contacts as select id, email as address from customers;
    create view contacts_again as select address || '' as anything from contacts;
    create view names as select id, name from customers;
    create view rows as select to_json(c) as row from customers c;
    create materialized view kept as select email from customers with no data;
    create function peek() returns setof text language sql as 'select email from customers';
    create view peeked as select peek() as seen;
    create table events (at date, ssn text) partition by range (at);
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
    create schema "odd.one"; create table "odd.one"."a/b" ("per%cent" text);
  `);
});

afterAll(async () => {
  await catalogs?.close();
  await server?.stop();
});

function open(columns: CatalogRules['columns']): Catalogs {
  rules = { labels: ['prod'], columns };
  problems = [];
  const target = targetAt(server);
  return new Catalogs({
    connect: (_target, database) =>
      connectCatalog(target, database, { user: server.user, password: server.password, role: undefined }),
    rules: () => rules,
    clock,
    onProblem: (_target, _database, problem) => {
      if (!problem.startsWith('the role ')) problems.push(problem);
    },
  });
}

function labelled(snapshot: CatalogSnapshot): string[] {
  return snapshot.relations
    .flatMap((relation) =>
      relation.columns.filter((column) => column.labels.length > 0).map((column) => `${relation.name}.${column.name}`),
    )
    .toSorted();
}

describe('the catalog', () => {
  it('labels columns by rule and lets labels follow the values', async () => {
    catalogs = open([
      { column: 'public.customers.email', label: 'pii.email', mask: 'email' },
      { column: '*.events_2026.ssn', label: 'pii.ssn', mask: 'redact' },
      { column: 'odd%2Eone.a/b.per%25cent', label: 'secret', mask: 'null' },
    ]);
    expect(labelled(await catalogs.get('shop', 'postgres'))).toEqual([
      'a/b.per%cent',
      'contacts.address',
      'contacts.id',
      'contacts_again.anything',
      'customers.email',
      'customers.shout',
      'events.ssn',
      'events_2026.ssn',
      'kept.email',
      'peeked.seen',
      'rows.row',
    ]);
    expect(problems).toEqual([]);
    await catalogs.close();
  });

  it('tells of a rule that matches nothing', async () => {
    catalogs = open([{ column: 'public.customers.e_mail', label: 'pii.email', mask: 'email' }]);
    await catalogs.get('shop', 'postgres');
    expect(problems).toEqual(['the label rule public.customers.e_mail matches no column']);
    await catalogs.close();
  });

  it('knows the relations, functions and version of the server', async () => {
    catalogs = open([]);
    const snapshot = await catalogs.get('shop', 'postgres');
    expect(snapshot.major).toBeGreaterThanOrEqual(14);
    expect(
      snapshot.relations.find((relation) => relation.schema === 'pg_catalog' && relation.name === 'pg_class'),
    ).toBeDefined();
    expect(snapshot.functions.map((one) => one.name)).toContain('peek');
    expect(snapshot.schemas).toContain('odd.one');
    await catalogs.close();
  });

  it('is read again after DDL was told of, and keeps its epoch when nothing changed', async () => {
    catalogs = open([]);
    const first = await catalogs.get('shop', 'postgres');
    catalogs.changed('shop', 'postgres');
    expect(catalogs.current('shop', 'postgres')).toBeUndefined();
    expect((await catalogs.get('shop', 'postgres')).epoch).toBe(first.epoch);
    await server.query('create table fresh (a int)');
    catalogs.changed('shop', 'postgres');
    const second = await catalogs.get('shop', 'postgres');
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(second.relations.some((relation) => relation.name === 'fresh')).toBe(true);
    await catalogs.close();
  });

  it('is made anew when its rules change', async () => {
    catalogs = open([]);
    await catalogs.get('shop', 'postgres');
    rules = { labels: [], columns: [{ column: 'public.customers.name', label: 'pii', mask: 'redact' }] };
    expect(labelled(await catalogs.get('shop', 'postgres'))).toContain('names.name');
    await catalogs.close();
  });

  it('keeps the label on a column that is renamed, and says that the rule matches nothing any more', async () => {
    catalogs = open([{ column: 'public.orders.total', label: 'secret', mask: 'null' }]);
    await catalogs.get('shop', 'postgres');
    await server.query('alter table orders rename total to amount');
    catalogs.changed('shop', 'postgres');
    expect(labelled(await catalogs.get('shop', 'postgres'))).toEqual(['orders.amount', 'peeked.seen']);
    expect(problems).toEqual(['the label rule public.orders.total matches no column']);
    await catalogs.close();
  });

  it('has nothing to say when the database cannot be read', async () => {
    catalogs = open([]);
    await expect(catalogs.get('shop', 'nowhere')).rejects.toMatchObject({ code: 'CATALOG_UNREADABLE' });
    expect(catalogs.current('shop', 'nowhere')).toBeUndefined();
    await catalogs.close();
  });
});
