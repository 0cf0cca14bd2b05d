import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlScope } from '../../core/facts.ts';
import { type RealShop, startShop, tell } from './testing/real.ts';

let shop: RealShop;

beforeAll(async () => {
  shop = await startShop();
});

afterAll(async () => {
  await shop?.stop();
});

function told(text: string, scope: Partial<SqlScope> = {}): string {
  return shop.read(text, scope).statements.map(tell).join(' ;; ');
}

describe('reading a statement', () => {
  // verb | uses | columns | settings | flags
  it.each([
    ['select 1', 'select |  |  |  | free'],
    ['select version(), current_user, now()', 'select |  |  |  | free'],
    ['select pg_sleep(1)', 'select'],
    ['select id, name from customers', 'select | select customers | read customers.id, read customers.name'],
    [
      'select * from customers',
      'select | select customers | read customers.boss, read customers.data, read customers.email, read customers.id, read customers.name, read customers.tags',
    ],
    [
      'select c.*, o.total from customers c join orders o on o.customer_id = c.id',
      'select | select customers, select orders | filter customers.id, filter orders.customer_id, read customers.boss, read customers.data, read customers.email, read customers.id, read customers.name, read customers.tags, read orders.total',
    ],
    ['select count(*) from customers', 'select | select customers'],
    ['select count(*) from (select * from customers order by id) x', 'select | select customers | filter customers.id'],
    [
      "select id from customers where name = 'x' order by id limit 10",
      'select | select customers | filter customers.id, filter customers.name, read customers.id',
    ],
    [
      'select id as x from customers union all select id from orders',
      'select | select customers, select orders | derive customers.id, derive orders.id',
    ],
    [
      'select o.id from orders o where exists (select * from customers c where c.id = o.customer_id)',
      'select | select customers, select orders | filter customers.id, filter orders.customer_id, read orders.id',
    ],
    [
      'with c as (select id, name from customers) select name from c',
      'select | select customers | read customers.name',
    ],
    [
      'select name from contacts natural join customers',
      'select | select contacts, select customers | filter contacts.email, filter contacts.id, filter customers.email, filter customers.id, read customers.name',
    ],
    ['values (1), (2)', 'select |  |  |  | free'],
    ["insert into orders (id, note) values (1, 'x')", 'insert | insert orders | assign orders.id, assign orders.note'],
    [
      'insert into orders values (1, 2) returning id',
      'insert | insert orders, select orders | assign orders.customer_id, assign orders.id, read orders.id',
    ],
    ['insert into orders default values', 'insert | insert orders'],
    [
      'insert into orders (id) select id from customers',
      'insert | insert orders, select customers | assign orders.id, derive customers.id',
    ],
    [
      "insert into orders (id, note) values (1, 'x') on conflict (id) do update set note = excluded.note",
      'update | insert orders, select orders, update orders | assign orders.id, assign orders.note, filter orders.id',
    ],
    [
      "insert into orders (id, note) values (1, 'x') on conflict do nothing",
      'insert | insert orders, select orders | assign orders.id, assign orders.note, filter orders.id, filter orders.note',
    ],
    [
      "update orders set note = 'x' where id = 1",
      'update | select orders, update orders | assign orders.note, filter orders.id',
    ],
    [
      'update orders set total = total + 1',
      'update | select orders, update orders | assign orders.total, derive orders.total |  | unbounded',
    ],
    [
      'update orders o set note = c.name from customers c where c.id = o.customer_id and o.id = $1',
      'update | select customers, select orders, update orders | assign orders.note, derive customers.name, filter customers.id, filter orders.customer_id, filter orders.id',
    ],
    ['delete from orders where id = 1', 'delete | delete orders, select orders | filter orders.id'],
    ['delete from orders', 'delete | delete orders |  |  | unbounded'],
    [
      'with gone as (delete from orders returning *) select count(*) from gone',
      'delete | delete orders, select orders |  |  | unbounded',
    ],
    [
      'merge into orders o using items i on o.id = i.order_id and o.id = 1 when matched then update set note = i.sku when not matched then insert (id) values (i.qty)',
      'update | insert orders, select items, select orders, update orders | assign orders.id, assign orders.note, derive items.qty, derive items.sku, filter items.order_id, filter orders.id',
    ],
    ['truncate orders, items', 'truncate | truncate items, truncate orders'],
    ['lock table orders', 'lock | lock orders'],
    ['select id from orders for update skip locked', 'lock | lock orders, select orders | read orders.id'],
    [
      'copy orders (id, total) to stdout',
      'copy-out | copy-out orders, select orders | derive orders.id, derive orders.total |  | out text',
    ],
    [
      'copy orders from stdin with (format csv, header)',
      'insert | copy-in orders, insert orders | assign orders.customer_id, assign orders.id, assign orders.note, assign orders.status, assign orders.total |  | in csv',
    ],
    [
      'copy (select id from orders) to stdout (format binary)',
      'copy-out | copy-out orders, select orders | derive orders.id |  | out binary',
    ],
    ['begin', 'transaction |  |  |  | begin, free'],
    ['start transaction isolation level serializable read only', 'transaction |  |  |  | begin, free'],
    ['commit', 'transaction |  |  |  | barrier, commit, free'],
    ['rollback', 'transaction |  |  |  | barrier, free, rollback'],
    ['savepoint a', 'transaction |  |  |  | free, savepoint'],
    ['release a', 'transaction |  |  |  | free, other'],
    ['rollback to a', 'transaction |  |  |  | barrier, free, other'],
    ['abort', 'transaction |  |  |  | barrier, free, rollback'],
    ['set statement_timeout = 0', 'session |  |  | statement_timeout=0 free | free'],
    ['set search_path to "Sales", public', 'session |  |  | search_path=Sales, public tracked | barrier, free'],
    ["set local timezone = 'UTC'", 'session |  |  | timezone=UTC free | free'],
    ["set application_name = 'x'", 'session |  |  | application_name=x swallowed | free'],
    ["set client_encoding to 'utf-8'", 'session |  |  | client_encoding=utf-8 pinned | free'],
    ['set standard_conforming_strings to on', 'session |  |  | standard_conforming_strings=on pinned | free'],
    ['set default_transaction_read_only = on', 'session |  |  | default_transaction_read_only=on free | free'],
    ['reset all', 'session |  |  | search_path=undefined tracked | barrier, free'],
    ['reset search_path', 'session |  |  | search_path=undefined tracked | barrier, free'],
    ['discard all', 'session |  |  | search_path=undefined tracked | barrier, deallocate *, free'],
    ['show server_version', 'session |  |  |  | free'],
    ['set transaction read only', 'session |  |  |  | free'],
    ["select set_config('search_path', 'public', false)", 'session |  |  | search_path=public tracked | barrier, free'],
    [
      "select set_config(name, 'view, foreign-table', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'",
      'introspect | introspect pg_catalog.pg_settings | derive pg_catalog.pg_settings.name, filter pg_catalog.pg_settings.name | restrict_nonsystem_relation_kind=view, foreign-table free',
    ],
    [
      'prepare p (int) as select id from orders where id = $1',
      'select | select orders | filter orders.id, read orders.id |  | prepare p',
    ],
    ['execute p (1)', 'select |  |  |  | execute p'],
    ['deallocate p', 'session |  |  |  | deallocate p, free'],
    ['deallocate all', 'session |  |  |  | deallocate *, free'],
    ['declare c cursor for select id from orders', 'select | select orders | read orders.id |  | declare c'],
    ['fetch 10 from c', 'select |  |  |  | fetch c'],
    ['close c', 'session |  |  |  | close c, free'],
    ['explain select id, note from orders where id = 1', 'select | select orders | filter orders.id'],
    [
      "explain (analyze, verbose) update orders set note = 'x'",
      'update | update orders | assign orders.note |  | unbounded',
    ],
    [
      "create table t (a int references customers, b text default lower('X'))",
      'ddl | ddl customers, ddl public |  |  | barrier, ddl',
    ],
    ['create temp table t (a int)', 'ddl | ddl pg_temp |  |  | barrier'],
    [
      'create table other.t as select id from orders',
      'ddl | ddl other, select orders | derive orders.id |  | barrier, ddl',
    ],
    ['create view v as select id from orders', 'ddl | ddl public, select orders | derive orders.id |  | barrier, ddl'],
    [
      'create index on orders (note)',
      'ddl | ddl orders, select orders | derive orders.note, filter orders.note |  | barrier, ddl',
    ],
    ['create schema s', 'ddl | ddl database |  |  | barrier, ddl'],
    ['alter table orders add column x int', 'ddl | ddl orders |  |  | barrier, ddl'],
    ['alter table nowhere add column x int', 'ddl | ddl database |  |  | barrier, ddl'],
    [
      'drop table if exists orders, nowhere, other.nowhere',
      'ddl | ddl database, ddl orders, ddl other |  |  | barrier, ddl',
    ],
    ['drop view contacts', 'ddl | ddl contacts |  |  | barrier, ddl'],
    ['drop function peek', 'ddl | ddl database |  |  | barrier, ddl'],
    ['drop schema other', 'ddl | ddl other |  |  | barrier, ddl'],
    ["comment on table orders is 'x'", 'ddl | ddl orders |  |  | barrier, ddl'],
    ["comment on column orders.id is 'x'", 'ddl | ddl orders |  |  | barrier, ddl'],
    ["create type mood as enum ('a')", 'ddl | ddl public |  |  | barrier, ddl'],
    ['create sequence other.s', 'ddl | ddl other |  |  | barrier, ddl'],
    ['vacuum orders', 'ddl | ddl orders |  |  | barrier'],
    ['analyze', 'ddl | ddl database |  |  | barrier'],
    ['refresh materialized view contacts', 'ddl | ddl contacts |  |  | barrier'],
    ['reindex table orders', 'ddl | ddl orders |  |  | barrier'],
    ['alter table orders rename to things', 'ddl | ddl orders |  |  | barrier, ddl'],
    ['grant select on orders to public', 'admin | admin database, ddl orders |  |  | barrier, ddl'],
    ['create role x', 'admin | admin database |  |  | barrier, ddl'],
    ["create function f() returns int language sql as 'select 1'", 'opaque | opaque database |  |  | barrier, ddl'],
    ["do 'begin end'", 'opaque | opaque database |  |  | barrier'],
    ['call touch(1)', 'execute | execute touch |  |  | barrier'],
    ['listen x', 'opaque | opaque database'],
    ['unlisten *', 'session |  |  |  | free'],
    ['checkpoint', 'admin | admin database |  |  | barrier, ddl'],
    ["select nextval('orders_seq')", 'execute | execute pg_catalog.nextval |  |  | barrier'],
    [
      'select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where pg_table_is_visible(c.oid)',
      'introspect | introspect pg_catalog.pg_class, introspect pg_catalog.pg_namespace, introspect pg_catalog.pg_table_is_visible | filter pg_catalog.pg_class.oid, filter pg_catalog.pg_class.relnamespace, filter pg_catalog.pg_namespace.oid, read pg_catalog.pg_class.relname, read pg_catalog.pg_namespace.nspname',
    ],
    [
      'select id from orders where id = 1; delete from items where order_id = 1',
      'select | select orders | filter orders.id, read orders.id ;; delete | delete items, select items | filter items.order_id',
    ],
    ["select peek('x') from orders", 'execute | execute peek, select orders |  |  | barrier'],
    ["select uuid('a'), jsonb('{}')", 'select |  |  |  | free'],
  ])('%s', (text, expected) => {
    expect(told(text)).toBe(expected);
  });

  it('carries labels: of the column with its mask, of the target on everything', () => {
    const [statement] = shop.read('select id, email from customers').statements;
    const labels = new Map(statement?.columns.map(({ column, labels }) => [column.path.at(-1), labels]));
    expect(labels.get('id')).toEqual([]);
    expect(labels.get('email')).toEqual([{ label: 'pii.email', style: 'email' }]);
    expect(statement?.uses.map((use) => use.labels)).toEqual([['prod']]);
  });

  it('names tables and attributes as the RowDescription will', async () => {
    const [statement] = shop.read('select email from customers').statements;
    const [row] = await shop.server.query("select 'customers'::regclass::int8 as oid");
    expect(statement?.columns).toMatchObject([{ table: Number(row?.['oid']), attribute: 3 }]);
  });

  it('gives nothing for the empty query', () => {
    for (const text of ['', ';', ' -- x']) expect(shop.read(text).statements).toEqual([]);
  });
});

describe('bounded', () => {
  it.each([
    ['id = 1'],
    ['1 = id'],
    ['id = $1'],
    ["id = '1'::int"],
    ['id = -1'],
    ['orders.id = 1 and total > 2'],
    ['id in (1, 2)'],
    ['id = any ($1)'],
    ['id = any (array[1, 2])'],
    ['(id, customer_id) = (1, 2)'],
    ['(id, customer_id) in ((1, 2), (3, 4))'],
    ['id between 1 and 2'],
    ['id > 1 and id <= 9'],
    ['id >= 1 and 9 > id'],
    ["ctid = '(0,1)'"],
    ['current of c'],
  ])('where %s', (where) => {
    expect(told(`delete from orders where ${where}`)).not.toContain('unbounded');
  });

  it.each([
    ['true'],
    ['1 = 1'],
    ['id = id'],
    ['id is not null'],
    ['id = 1 or true'],
    ['not id = 1'],
    ['id <> 1'],
    ['id > 1'],
    ['id > 1 and total < 2'],
    ['id >= 1 and id > 0'],
    ['id = null'],
    ['id in (1, id)'],
    ['id not in (1)'],
    ['id = (select 1)'],
    ['id in (select 1)'],
    ['id not between 1 and 2'],
    ["note like 'x'"],
    ["id::text = '1'"],
    ['id = id + 0'],
    ['tableoid = 1'],
    ['xmax = 0'],
    ['id = all ($1)'],
    ["note operator(other.===) 'x'"],
    ['exists (select 1 from items where order_id = 1)'],
  ])('not: where %s', (where) => {
    expect(told(`delete from orders where ${where}`)).toContain('unbounded');
  });

  it('counts a column of the target only', () => {
    expect(told('update orders set note = null from items where items.order_id = 1')).toContain('unbounded');
    expect(told('update orders o set note = null from orders i where i.id = 1')).toContain('unbounded');
    expect(told('update orders o set note = null from orders i where o.id = 1')).not.toContain('unbounded');
    expect(told('merge into orders o using items i on i.order_id = 1 when matched then delete')).toContain('unbounded');
  });

  it('looks into WITH', () => {
    expect(told('with d as (delete from orders) update orders set note = null where id = 1')).toContain('unbounded');
  });
});

describe('names', () => {
  it.each([
    ['select nothing from customers', 'column "nothing"'],
    ['select x.id from customers', 'table "x"'],
    ['select id from nowhere', 'relation "nowhere"'],
    ['select id from no.where', 'relation "no.where"'],
    ['select id from customers, orders', 'column "id"'],
    ['select id from customers c join orders c on true', 'column "id"'],
    ['select c.id from customers c join orders c on true', 'table "c"'],
    ['select customers.id from customers c', 'table "customers"'],
    ['select public.customers.id from other.customers', 'table "public.customers"'],
    ['select no_function(1)', 'function "no_function"'],
    ["select no.peek('x')", 'function "no.peek"'],
    ['select pg_catalog.peek(1)', 'function "pg_catalog.peek"'],
    ["select textin('x')", 'function "textin"'],
    ['select id from another.public.customers', 'database "another"'],
    ['insert into orders (nothing) values (1)', 'column "nothing"'],
    ['update orders set nothing = 1', 'column "nothing"'],
    [
      'select o.note from customers c join lateral (select c.id) l on true join (select c.id from orders o) x on true',
      'table "c"',
    ],
    ['select * from customers c, (select c.id) x', 'table "c"'],
    ['with a as (select * from b), b as (select 1) select * from a', 'relation "b"'],
    ['select * from pg_toast.pg_toast_1', 'relation "pg_toast.pg_toast_1"'],
  ])('that are not one thing stop the reading: %s', (text, what) => {
    expect(() => shop.read(text)).toThrow(expect.objectContaining({ code: 'SQL_UNRESOLVED' }));
    expect(() => shop.read(text)).toThrow(what);
  });

  it('follow the search path', () => {
    expect(told('select email from customers', { searchPath: ['pg_catalog', 'other', 'public'] })).toBe(
      'select | select other.customers | read other.customers.email',
    );
    expect(told("select peek('x')", { searchPath: ['pg_catalog', 'other', 'public'] })).toContain(
      'execute other.peek, execute peek',
    );
    expect(() => told('select 1 from customers', { searchPath: ['pg_catalog'] })).toThrow('relation "customers"');
  });

  it('find temporary relations first, under any of their names', () => {
    const temporary = [{ schema: 'pg_temp_3', name: 'customers', oid: 99, columns: [{ name: 'email', attribute: 1 }] }];
    const scope = { searchPath: ['pg_temp_3', 'pg_catalog', 'public'], temporary };
    for (const name of ['customers', 'pg_temp.customers', 'pg_temp_3.customers']) {
      expect(told(`select email from ${name}`, scope)).toBe(
        'select | select pg_temp.customers | read pg_temp.customers.email',
      );
    }
    expect(told('select email from public.customers', scope)).toContain('read customers.email');
  });

  it('find relations of the catalog before those of the path behind it', () => {
    expect(told('select relname from pg_class')).toContain('introspect pg_catalog.pg_class');
  });
});
