import { Catalogs } from '../../../catalog/catalogs.ts';
import { connectCatalog } from '../../../catalog/connection.ts';
import type { SqlFacts, SqlScope, StatementFacts } from '../../../core/facts.ts';
import { targetAt } from '../../../core/testing/target.ts';
import { type PostgresOptions, startPostgres, type ThrowawayPostgres } from '../../../devtools/postgres.ts';
import { CatalogIndex } from '../catalog-index.ts';
import { loadParser } from '../parser.ts';
import { readSql } from '../read.ts';

/** A real server with a small shop whose customers have a labelled e-mail address, and readings against its catalog. */
export interface RealShop {
  readonly server: ThrowawayPostgres;
  read(text: string, scope?: Partial<SqlScope>): SqlFacts;
  stop(): Promise<void>;
}

const SCHEMA = `
  create table customers (id int primary key, name text, email text, tags text[], data jsonb, boss int);
  create table orders (id int primary key, customer_id int references customers, total numeric, status text, note text);
  create table items (order_id int, sku text, qty int);
  create table secrets (id int, value text);
  create view contacts as select id, email from customers;
  create function peek(text) returns text language sql as 'select $1';
  create function fullname(customers) returns text language sql as 'select $1.name || $1.email';
  create function leak() returns setof text language sql as 'select email from customers';
  create procedure touch(int) language sql as 'update customers set name = name where id = $1';
  create schema other;
  create table other.customers (id int, email text, note text);
  create function other.peek(int) returns int language sql as 'select 1';
  create function other.same(text, text) returns boolean language sql immutable as 'select $1 = $2';
  create operator other.=== (leftarg = text, rightarg = text, function = other.same);
  insert into customers values (1, 'Ada', 'ada@example.com', '{a}', '{}', null), (2, 'Bob', 'bob@example.com', '{b}', '{}', 1);
  insert into orders values (1, 1, 10, 'open', 'n'), (2, 2, 20, 'paid', 'm');
`;

export interface ShopOptions extends PostgresOptions {
  /** More to be in the database before its catalog is read. */
  readonly before?: string;
  /** Which columns are labelled, instead of the customers' e-mail addresses. */
  readonly label?: string;
}

export async function startShop(options: ShopOptions = {}): Promise<RealShop> {
  const { before = '', label = 'public.customers.email', ...rest } = options;
  const server = await startPostgres(rest);
  await server.query(SCHEMA + before);
  const target = targetAt(server);
  const rules = {
    labels: ['prod'],
    columns: [{ column: label, label: 'pii.email', mask: 'email' as const }],
  };
  const catalogs = new Catalogs({
    connect: (_target, database) =>
      connectCatalog(target, database, { user: server.user, password: server.password, role: undefined }),
    rules: () => rules,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onProblem: () => {},
  });
  const catalog = new CatalogIndex(await catalogs.get('shop', 'postgres'));
  await loadParser();
  const usual: SqlScope = {
    target: 'shop',
    database: 'postgres',
    role: server.user,
    searchPath: ['pg_catalog', 'public'],
    temporary: [],
    uncommitted: [],
  };
  return {
    server,
    read: (text, scope = {}) => readSql(text, { scope: { ...usual, ...scope }, catalog, digest: (each) => each }),
    async stop() {
      await catalogs.close();
      await server.stop();
    },
  };
}

/** Facts in one line: `select | select customers | read customers.id, filter customers.email`. Labels and OIDs aside. */
export function tell(statement: StatementFacts): string {
  const uses = statement.uses.map(({ action, resource }) => `${action} ${short(resource.path.slice(2))}`);
  const columns = statement.columns.map(({ use, column }) => `${use} ${short(column.path.slice(2))}`);
  const settings = statement.settings.map((setting) => `${setting.name}=${setting.value} ${setting.class}`);
  const flags = [
    ...(statement.bounded ? [] : ['unbounded']),
    ...(statement.barrier ? ['barrier'] : []),
    ...(statement.ddl ? ['ddl'] : []),
    ...(statement.free ? ['free'] : []),
    ...(statement.transaction ? [statement.transaction] : []),
    ...(statement.names ? [`${statement.names.kind} ${statement.names.name ?? '*'}`] : []),
    ...(statement.copy ? [`${statement.copy.direction} ${statement.copy.format}`] : []),
  ];
  const parts = [uses, columns, settings, flags].map((part) => part.toSorted().join(', '));
  return [statement.verb, ...parts].join(' | ').replace(/( \| )+$/, '');
}

function short(path: readonly string[]): string {
  return path.join('.').replace(/^public\.(?=.)/, '') || 'database';
}
