import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Catalogs } from '../../catalog/catalogs.ts';
import { connectCatalog } from '../../catalog/connection.ts';
import type { CatalogSnapshot } from '../../core/catalog.ts';
import { targetAt } from '../../core/testing/target.ts';
import { startPostgres, type ThrowawayPostgres } from '../../devtools/postgres.ts';
import { CatalogIndex } from './catalog-index.ts';
import { readLineage, type ViewLineage } from './lineage.ts';
import { loadParser } from './parser.ts';
import { generateView } from './testing/generate-view.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

let server: ThrowawayPostgres;
let client: pg.Client;
let catalogs: Catalogs;

beforeAll(async () => {
  await loadParser();
  server = await startPostgres();
  client = new pg.Client({ ...server, database: 'postgres', options: '-c search_path=public' });
  await client.connect();
  await client.query(`
    create table c (id int primary key, name text, email text, profile jsonb, boss int, tags text[]);
    create table o (id int primary key, c int, total numeric, note text);
    create table p (id int primary key, email text, note text);
    create type pair as (a int, b text);
    create table w (id int primary key, two pair);
    create view v as select id, upper(email) as mail, name from c;
    insert into c select i, 'n' || i, 'e' || i, jsonb_build_object('a', i), i / 2, array['t' || i] from generate_series(1, 4) i;
    insert into o select i, (i + 1) / 2, i * 10, 'x' || i from generate_series(1, 6) i;
    insert into p select i, 'p' || i, 'y' || i from generate_series(1, 4) i;
  `);
  const target = targetAt(server);
  catalogs = new Catalogs({
    connect: (_target, database) => connectCatalog(target, database, { ...server, role: undefined }),
    rules: () => ({ labels: [], columns: [] }),
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onProblem: () => {},
  });
});

afterAll(async () => {
  await catalogs?.close();
  await client?.end();
  await server?.stop();
});

/** Makes a view of a query, reads its definition back as the gateway does, and forgets it. */
async function lineageOf(query: string, kind = 'view'): Promise<ViewLineage | undefined> {
  await client.query(`create ${kind} made as ${query}`);
  try {
    await client.query("set search_path = ''");
    const { rows } = await client.query<{ oid: string; text: string; columns: number[] }>(`
      select oid, pg_get_viewdef(oid) as text, (select array_agg(attnum::int order by attnum) from pg_attribute
        where attrelid = oid and attnum > 0) as columns from pg_class where relname = 'made'`);
    const [{ oid, text, columns } = { oid: 0, text: '', columns: [] }] = rows;
    return readLineage({ view: Number(oid), text, columns }, new CatalogIndex(await snapshot()));
  } finally {
    await client.query('set search_path = public');
    await client.query(`drop ${kind} made`);
  }
}

const snapshot = (): Promise<CatalogSnapshot> => catalogs.get('shop', 'postgres');

/** For each column, what it is computed from; `=` where it is exactly that. */
async function told(query: string, kind?: string): Promise<string[] | undefined> {
  const lineage = await lineageOf(query, kind);
  const { relations } = await snapshot();
  const nameOf = ({ relation, attribute }: { relation: number; attribute: number }): string => {
    const found = relations.find((each) => each.oid === relation);
    return `${found?.name}.${found?.columns.find((each) => each.attribute === attribute)?.name}`;
  };
  return lineage?.columns.map(({ from, same }) => {
    return same ? `= ${nameOf(same)}` : from.map(nameOf).toSorted().join(' ');
  });
}

describe('the lineage of a view', () => {
  it.each<[string, string[]]>([
    ['select id, email from c', ['= c.id', '= c.email']],
    ['select * from c', ['= c.id', '= c.name', '= c.email', '= c.profile', '= c.boss', '= c.tags']],
    ['select 1 as one, now() as t, email || name as x from c', ['', '', 'c.email c.name']],
    ["select id, name from c where email like '%@gov'", ['= c.id', '= c.name']],
    ['select c.name, o.total from c join o on o.c = c.id and c.email is not null', ['= c.name', '= o.total']],
    ['select c.email, p.email as other from c left join p using (id)', ['= c.email', '= p.email']],
    ['select id, p.note from c join p using (id, email)', ['= c.id', '= p.note']],
    ['select id, p.note from c full join p using (id, email)', ['c.id p.id', '= p.note']],
    ['select email, note from (select id, email from c) s natural join p', ['= c.email', '= p.note']],
    ['select x.email as a, x.note as b from (c full join p using (id, email)) x', ['c.email p.email', '= p.note']],
    ['select name from c union select note from p', ['c.name p.note']],
    ['select id, email from c union all select id, note from p', ['c.id p.id', 'c.email p.note']],
    ['select email from c except select email from p', ['c.email p.email']],
    ['select name, count(*) as n from c group by name', ['= c.name', '']],
    ['select distinct email from c', ['= c.email']],
    [
      'select boss, max(email) as m, count(distinct email) as n from c group by boss',
      ['= c.boss', 'c.email', 'c.email'],
    ],
    ["select count(*) filter (where email like 'a%') as n from c", ['c.email']],
    ['select array_agg(name order by email) as a from c', ['c.email c.name']],
    ['select percentile_disc(0.5) within group (order by email) as a from c', ['c.email']],
    ["select id, case when email = 'x' then name else 'n' end as a from c", ['= c.id', 'c.email c.name']],
    ['select case email when name then 1 end as a from c', ['c.email c.name']],
    ['select coalesce(email, name) as a, nullif(name, email) as b from c', ['c.email c.name', 'c.email c.name']],
    ['select row_number() over (partition by boss order by email) as n from c', ['c.boss c.email']],
    ['select rank() over w as n, id from c window w as (order by email)', ['c.email', '= c.id']],
    ['select rank() over (w order by email) as n from c window w as (partition by boss)', ['c.boss c.email']],
    ['select lag(name) over w as n from (select * from c) s window w as (order by email)', ['c.email c.name']],
    ['select to_json(p) as j from p', ['p.email p.id p.note']],
    ['select p from p', ['p.email p.id p.note']],
    ['select to_json(row(id, email)) as r, (two).b as b from w join c using (id)', ['c.email w.id', 'w.two']],
    ["select profile ->> 'a' as a, profile, tags[1] as t from c", ['c.profile', '= c.profile', 'c.tags']],
    ['select id, (select max(total) from o where o.c = c.id) as top from c', ['= c.id', 'c.id o.c o.total']],
    ['select exists (select * from p where p.email = c.email) as e from c', ['c.email p.email']],
    ["select exists (select 1 from p where note = 'x') as e, id from c", ['p.note', '= c.id']],
    ["select (select count(*) from (select 1 as k from p where note = 'x') s) as n from c", ['p.note']],
    ['select name in (select note from p where email is null) as e from c', ['c.name p.email p.note']],
    ['select array(select note from p order by email) as a from c', ['p.email p.note']],
    ["select exists (with x as (select 1 as k from p where note = 'x') select from x) as e", ['p.note']],
    [
      'select (select count(*) from c join p using (email)) as n',
      ['c.boss c.email c.id c.name c.profile c.tags p.email p.id p.note'],
    ],
    ['select s.n, c.id from c, lateral (select count(*) as n from o where o.c = c.id) s', ['', '= c.id']],
    ['select t.tag, c.id from c, unnest(tags) as t (tag)', ['c.tags', '= c.id']],
    ['select generate_series(1, boss) as n, id from c', ['c.boss', '= c.id']],
    ['select r.a, r.b from c, jsonb_to_record(profile) as r (a int, b text)', ['c.profile', 'c.profile']],
    ['with x as (select id, upper(email) as m from c) select m, id from x', ['c.email', '= c.id']],
    [
      'with recursive x as (select id, email, boss from c union all select c.id, x.email, c.boss from c join x on x.id = c.boss) select id, email from x',
      ['c.boss c.email c.id', 'c.boss c.email c.id'],
    ],
    ['select mail, name from v', ['= v.mail', '= v.name']],
    ['select * from (values (1, 2)) s (a, b)', ['', '']],
    ['select relname, c.name from pg_class, c', ['= pg_class.relname', '= c.name']],
    ['select email from only c tablesample system (10)', ['= c.email']],
  ])('%s', async (query, expected) => {
    expect(await told(query)).toEqual(expected);
  });

  it('reads materialised views', async () => {
    expect(await told('select id, lower(email) as m from c', 'materialized view')).toEqual(['= c.id', 'c.email']);
  });

  it.each([
    ['calls what reads anything', "select query_to_xml('select * from c', true, true, '') as x"],
    ['shows statistics', 'select most_common_vals::text as x from pg_stats'],
  ])('is not told of a view that %s', async (_what, query) => {
    expect(await told(query)).toBeUndefined();
  });

  it.each([
    ['no SQL', 'select from where'],
    ['two statements', 'select 1; select 2'],
    ['another number of columns', 'select id, email from public.c'],
    ['columns that nobody can list', "select (pg_catalog.jsonb_populate_record(null::public.c, '{}')).*"],
    ['a relation nobody knows', 'select id from public.gone'],
    [
      'more than the stack holds',
      `select ${'('.repeat(900)}1${')'.repeat(900)} || ${'(1 || '.repeat(900)}1${')'.repeat(900)}`,
    ],
  ])('is not told of %s', async (_what, text) => {
    expect(readLineage({ view: 1, text, columns: [1] }, new CatalogIndex(await snapshot()))).toBeUndefined();
  });
});

describe('the values of a view', () => {
  it('change with the columns its lineage names and with no others', async () => {
    const changes = [
      ['c', 'name', "'other'"],
      ['c', 'email', "'zzz' || id"],
      ['c', 'boss', '9 - boss'],
      ['o', 'total', '1000 - total'],
      ['o', 'note', "'other' || id % 2"],
    ] as const;
    await fc.assert(
      fc.asyncProperty(generateView(), async (query) => {
        const lineage = await told(query);
        expect(lineage).toBeDefined();
        const before = await rowsOf(query);
        for (const [table, column, value] of changes) {
          await client.query('begin');
          await client.query(`update ${table} set ${column} = ${value}`);
          const after = await rowsOf(query);
          await client.query('rollback');
          const changed = (lineage ?? []).filter((_, n) => {
            return JSON.stringify(before.map((row) => row[n])) !== JSON.stringify(after.map((row) => row[n]));
          });
          for (const output of changed) expect(`${output} `).toContain(`${table}.${column} `);
        }
      }),
      { numRuns: 50 * EFFORT },
    );
  });
});

async function rowsOf(query: string): Promise<unknown[][]> {
  const { rows } = await client.query<unknown[]>({ text: `select * from (${query}) s order by 1`, rowMode: 'array' });
  return rows;
}
