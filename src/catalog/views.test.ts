import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CatalogSnapshot } from '../core/catalog.ts';
import type { ColumnLabel } from '../core/facts.ts';
import { Fault } from '../core/fault.ts';
import { targetAt } from '../core/testing/target.ts';
import { ReadingProcess } from '../data/reader/process.ts';
import { startPostgres, type ThrowawayPostgres } from '../devtools/postgres.ts';
import { Catalogs } from './catalogs.ts';
import { connectCatalog } from './connection.ts';
import type { LabelRule, TraceViews } from './ports.ts';

let server: ThrowawayPostgres;
let reading: ReadingProcess;
let catalogs: Catalogs;
/** Texts of the views that were traced, for each time. */
let traced: string[][];
let problems: string[];

beforeAll(async () => {
  server = await startPostgres();
  await server.query(`
    create table c (id int primary key, name text, email text, profile jsonb);
    create view plain as select id, email as address, name from c where email is not null;
    create view computed as select id, upper(address) as shout, name || '' as name from plain;
    create view whole as select to_json(c) as j, id from c;
    create materialized view kept as select email, id from c with no data;
    create view profiles as select id, profile, profile ->> 'ssn' as ssn from c;
    create view profiles_again as select * from profiles;
    create view untouched as select id from c;
    create function reads(int) returns text language sql as 'select email from c';
    create function adds(text, int) returns text language sql as 'select $1';
    create aggregate public.gathers (int) (sfunc = adds, stype = text, initcond = '');
    create operator public.#! (rightarg = int, function = reads);
    create view opaque_operator as select #! 1 as o;
    create view opaque_aggregate as select gathers(1) as a;
    create view opaque_xml as select query_to_xml('select email from c', true, true, '') as x;
    create view statistics as select most_common_vals::text as s from pg_stats;
  `);
});

afterEach(async () => {
  await catalogs?.close();
  await reading?.close();
});

afterAll(async () => {
  await server?.stop();
});

const target = () => targetAt(server);

function open(
  columns: readonly LabelRule[],
  trace: TraceViews = (views, catalog) => reading.trace(views, catalog),
): void {
  const rules = { labels: [], columns };
  reading = new ReadingProcess();
  traced = [];
  problems = [];
  catalogs = new Catalogs({
    connect: (_target, database) => connectCatalog(target(), database, { ...server, role: undefined }),
    rules: () => rules,
    trace: (views, catalog) => {
      traced.push(views.map((view) => view.text));
      return trace(views, catalog);
    },
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onProblem: (_target, _database, problem) => {
      if (!problem.startsWith('the role ')) problems.push(problem);
    },
  });
}

async function labels(): Promise<Map<string, readonly ColumnLabel[]>> {
  const snapshot: CatalogSnapshot = await catalogs.get('shop', 'postgres');
  return new Map(
    snapshot.relations
      .flatMap(({ name, columns }) => columns.map((column) => [`${name}.${column.name}`, column.labels] as const))
      .filter(([, found]) => found.length > 0)
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

const EMAIL: LabelRule = { column: 'public.c.email', label: 'pii.email', mask: 'email', derive: 'deny' };
const OPAQUE = ['opaque_aggregate.a', 'opaque_operator.o', 'opaque_xml.x', 'statistics.s'];

describe('labels of views', () => {
  it('are on the columns whose values come from labelled ones, and on no others', async () => {
    open([EMAIL]);
    const found = await labels();
    const reached = ['c.email', 'computed.shout', 'kept.email', ...OPAQUE, 'plain.address', 'whole.j'];
    expect([...found.keys()]).toEqual(reached.toSorted());
    expect(found.get('computed.shout')).toEqual([{ label: 'pii.email', style: 'email', derive: 'deny' }]);
  });

  it('keep a path where the column is passed on as it is, and nowhere else', async () => {
    open([{ column: '*.c.profile', label: 'pii.ssn', mask: 'redact', path: ['ssn'] }]);
    const found = await labels();
    const [kept, lost] = [
      { label: 'pii.ssn', style: 'redact', path: ['ssn'] },
      { label: 'pii.ssn', style: 'redact' },
    ];
    expect(Object.fromEntries(found)).toEqual({
      'c.profile': [kept],
      'profiles.profile': [kept],
      'profiles.ssn': [lost],
      'profiles_again.profile': [kept],
      'profiles_again.ssn': [lost],
      'whole.j': [lost],
      ...Object.fromEntries(OPAQUE.map((name) => [name, [lost]])),
    });
  });

  it('are on the whole value where a path cannot be', async () => {
    open([{ column: 'public.c.*', label: 'pii', mask: 'null', path: ['a', 'b'] }]);
    const found = await labels();
    expect(found.get('c.profile')).toEqual([{ label: 'pii', style: 'null', path: ['a', 'b'] }]);
    expect(found.get('c.name')).toEqual([{ label: 'pii', style: 'null' }]);
    expect(problems).toEqual([
      'the label rule public.c.* has a path, but public.c.id, public.c.name, public.c.email is no json: its whole value is labelled',
    ]);
  });

  it('are found by reading only views they may reach, and only those that changed', async () => {
    open([EMAIL]);
    await labels();
    expect(traced.flat()).toHaveLength(4);
    await server.query('create or replace view computed as select id, lower(address) as shout, name from plain');
    catalogs.changed('shop', 'postgres');
    await labels();
    expect(traced.slice(1)).toEqual([[expect.stringContaining('lower(')]]);
  });

  it('see what a whole row has become', async () => {
    open([{ column: 'public.c.secret', label: 'secret', mask: 'null' }]);
    expect([...(await labels()).keys()]).toEqual([]);
    await server.query('alter table c add secret text');
    catalogs.changed('shop', 'postgres');
    expect([...(await labels()).keys()]).toContain('whole.j');
    await server.query('alter table c drop secret');
  });

  it('are on everything a view shows while what it uses is locked, and are looked at again afterwards', async () => {
    open([EMAIL]);
    const client = new pg.Client({ ...server, database: 'postgres' });
    await client.connect();
    try {
      await client.query('begin; lock table c in access exclusive mode');
      const began = performance.now();
      const found = [...(await labels()).keys()];
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(found).toContain('plain.name');
      // A view of a view does not touch the table.
      expect(traced.flat()).toEqual([expect.stringContaining('public.plain')]);
      await client.query('commit');
      catalogs.changed('shop', 'postgres');
      expect([...(await labels()).keys()]).not.toContain('plain.name');
      expect(traced.flat()).toHaveLength(4);
    } finally {
      await client.end();
    }
  });

  it('are on everything a view shows when it cannot be traced', async () => {
    open([EMAIL], () => Promise.reject(new Fault('SQL_UNREADABLE', 'the statement took too long to read')));
    const found = await labels();
    for (const name of ['plain.id', 'plain.name', 'computed.id', 'kept.id', 'whole.id'])
      expect([...found.keys()]).toContain(name);
    expect(traced.length).toBeLessThanOrEqual(3);
    expect(problems).toEqual([
      expect.stringMatching(/^the columns of public\.plain, .* and 1 more could not be traced/),
    ]);
  });

  it('are asked for again one by one when one of many breaks the reader', async () => {
    open([EMAIL], (views, catalog) => {
      if (views.some(({ text }) => text.includes('to_json'))) return Promise.reject(new Fault('SQL_UNREADABLE', 'x'));
      return reading.trace(views, catalog);
    });
    const found = [...(await labels()).keys()];
    expect(found).toContain('whole.id');
    expect(found).not.toContain('plain.name');
  });
});
