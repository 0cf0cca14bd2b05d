import { existsSync, readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { found, Gateway, type Pass, run } from './testing/gateway.ts';

// Unmodified clients behave through the gateway as they do on a direct connection, where policy permits everything.

const SCRIPT = String.raw`
\set VERBOSITY verbose
select 1 as one, 'text' as two, null as three;
create table notes (id int primary key, body text, at timestamptz default '2026-01-01');
insert into notes values (1, 'first'), (2, 'second') returning id, body;
update notes set body = upper(body) where id = 1;
\d notes
\dt
\d+ notes
\di
\dn
\df
\du
\l
\x
select * from notes order by id;
\x
begin; insert into notes values (3, 'third'); savepoint s; insert into notes values (1, 'again'); rollback to s; select count(*) from notes; commit;
begin; select 1/0; select 2; rollback;
select nothing from nowhere;
selec 1;
copy notes (id, body) from stdin;
10	ten
11	eleven
\.
copy notes to stdout with csv header;
copy (select id from notes order by id) to stdout;
declare c cursor for select 1;
begin; declare c cursor for select id from notes order by id; fetch 2 from c; move 1 in c; fetch all from c; close c; commit;
prepare p (int) as select body from notes where id = $1; execute p(1); execute p(2); deallocate p; execute p(1);
set datestyle to 'German'; select date '2026-02-03'; reset datestyle; show datestyle;
set search_path to pg_catalog, public; select count(*) from notes; reset search_path;
create temp table scratch as select generate_series(1, 3) as n; select sum(n) from scratch; drop table scratch;
explain (costs off) select * from notes where id = 1;
do $$ begin raise notice 'said %', 42; end $$;
create function double(i int) returns int language sql immutable as 'select $1 * 2'; select double(21); drop function double;
create type mood as enum ('sad', 'ok'); select 'ok'::mood; drop type mood;
with gone as (delete from notes where id >= 10 returning id) select count(*) from gone;
merge into notes n using (values (1, 'merged'), (9, 'new')) as v(id, body) on n.id = v.id when matched then update set body = v.body when not matched then insert (id, body) values (v.id, v.body);
table notes order by id;
truncate notes; select count(*) from notes;
listen something; notify something, 'payload'; unlisten *;
lock table notes; vacuum notes; analyze notes;
begin isolation level serializable read only; show transaction_isolation; end;
select set_config('work_mem', '8MB', false), current_setting('work_mem');
select '{"a": [1, 2]}'::jsonb -> 'a', array[1, 2], row(1, 'x'), '1 day'::interval, 1.50::numeric, '\xdead'::bytea;
drop table notes;
`;

/** The embedded server, and the one of the system, whose own clients insist on its version. */
const SERVERS: [string, string | undefined][] = [['the embedded server', undefined], ...systemServer()];

function systemServer(): [string, string][] {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root)
    ? readdirSync(root).filter((version) => existsSync(`${root}/${version}/bin/postgres`))
    : [];
  const newest = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1);
  if (newest === undefined) process.stderr.write('\n!!! no PostgreSQL server of the system: its tests are SKIPPED\n');
  return newest === undefined ? [] : [[`the system's server ${newest}`, `${root}/${newest}/bin`]];
}

describe.each(SERVERS)('in front of %s', (_name, programs) => {
  let gateway: Gateway;
  let alice: Pass;

  beforeAll(async () => {
    gateway = await Gateway.start(programs === undefined ? {} : { postgres: { programs } });
    alice = await gateway.person('alice');
  });
  afterAll(() => gateway?.stop());

  describe.skipIf(!found('psql'))('psql', () => {
    it('says through the gateway what it says directly', async () => {
      await gateway.world.postgres.query('create database direct owner shop_app');
      const [direct, through] = await Promise.all([
        run('psql', ['-X', '-f', '-'], gateway.directLibpq('direct'), SCRIPT),
        run('psql', ['-X', '-f', '-'], gateway.libpq(alice, 'lab'), SCRIPT),
      ]);
      expect(through.stdout.split('\n').length).toBeGreaterThan(150);
      const unnumbered = (text: string) => text.replaceAll(/with PID \d+/g, 'with PID n');
      expect(unnumbered(through.stdout)).toBe(unnumbered(direct.stdout));
      // The gateway words itself what it could not read or resolve; there the SQLSTATE is what must agree.
      expect(worded(through.stderr)).toEqual(worded(direct.stderr));
    });

    it('gives the same output, statement by statement', async () => {
      const statements = SCRIPT.split('\n').filter(
        (line) => /^(\\[dl]|select|with|table|explain|show)/.test(line) && !/notes|nowhere/.test(line),
      );
      for (const statement of statements) {
        const args = ['-X', '-c', statement];
        const direct = await run('psql', args, gateway.directLibpq('lab'));
        const through = await run('psql', args, gateway.libpq(alice, 'lab'));
        expect({ statement, status: through.status, out: through.stdout }).toEqual({
          statement,
          status: direct.status,
          out: direct.stdout,
        });
      }
    });

    it('cancels', async () => {
      const client = await gateway.client(alice, 'lab');
      const sleeping = client.query('select pg_sleep(20)');
      const failed = expect(sleeping).rejects.toMatchObject({ code: '57014' });
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      await new Promise((resolve) => setTimeout(resolve, 300));
      const canceller = new pg.Client({ ...gateway.options(alice, 'lab'), ssl: false });
      const { connection } = canceller as unknown as {
        connection: {
          connect(port: number, host: string): void;
          on(event: string, run: () => void): void;
          cancel(process: number, secret: number): void;
        };
      };
      connection.on('connect', () => connection.cancel(processID, secretKey));
      connection.connect(gateway.running.ports.postgres, 'localhost');
      await failed;
      await client.end();
    });
  });

  describe.skipIf(!found('pg_dump'))('pg_dump', () => {
    it('dumps the same schema', async () => {
      const args = ['-s', '--no-owner'];
      const [direct, through] = [
        await run('pg_dump', args, gateway.directLibpq('shop')),
        await run('pg_dump', args, gateway.libpq(await gateway.person('bob'), 'shop')),
      ];
      // A client older than the server refuses to dump; then both must refuse, and the other server has the say.
      if (programs !== undefined) expect(direct.status).toBe(0);
      const plain = (text: string) => text.replaceAll(/^\\(un)?restrict .*$/gm, '');
      expect(plain(through.stdout)).toBe(plain(direct.stdout));
      expect(through.status).toBe(direct.status);
    });
  });

  describe.skipIf(!found('pgbench'))('pgbench', () => {
    it.each(['simple', 'extended', 'prepared'])('runs its whole transaction in mode %s', async (mode) => {
      const env = gateway.libpq(alice, 'lab');
      if (mode === 'simple') expect((await run('pgbench', ['-i', '-s', '1', '-q'], env)).status).toBe(0);
      const { status, stdout, stderr } = await run('pgbench', ['-M', mode, '-c', '4', '-t', '20'], env);
      expect(`${stdout}${stderr}`).toContain('number of transactions actually processed: 80/80');
      expect(status).toBe(0);
    });
  });

  describe('pg', () => {
    it('binds parameters, prepares, streams and keeps its types', async () => {
      const client = await gateway.client(alice, 'lab');
      const values = [
        42,
        'text',
        null,
        true,
        new Date('2026-01-02T03:04:05Z'),
        { a: 1 },
        ['x', 'y'],
        Buffer.from([1, 2]),
      ];
      const text =
        'select $1::int as i, $2::text as t, $3::text as n, $4::bool as b, $5::timestamptz as d, $6::jsonb as j, $7::text[] as a, $8::bytea as y';
      const direct = await gateway.direct('lab');
      for (const name of [undefined, 'named', 'named']) {
        const query = { text, values, ...(name === undefined ? {} : { name }) };
        expect((await client.query(query)).rows).toEqual((await direct.query(query)).rows);
      }
      await expect(client.query('select $1::int', ['no number'])).rejects.toMatchObject({ code: '22P02' });
      expect(
        ((await client.query('select 1 as one; select 2 as two')) as unknown as { rows: unknown[] }[]).map(
          (one) => one.rows,
        ),
      ).toEqual([[{ one: 1 }], [{ two: 2 }]]);
      await Promise.all([client.end(), direct.end()]);
    });

    it('carries large values both ways under back-pressure', async () => {
      const client = await gateway.client(alice, 'lab');
      const large = 'x'.repeat(20 << 20);
      const { rows } = await client.query('select $1::text as back, length($1::text) as length', [large]);
      expect(rows[0]?.length).toBe(large.length);
      expect(rows[0]?.back === large).toBe(true);
      const many = await client.query('select i, repeat(md5(i::text), 20) as filler from generate_series(1, 20000) i');
      expect(many.rows.length).toBe(20_000);
      await client.end();
    });

    it('logs in with the pass or a token as its password, on TLS only', async () => {
      const options = gateway.options(alice, 'lab');
      for (const password of [alice.pass, await gateway.world.idp.idToken('alice')]) {
        const client = new pg.Client({ ...options, user: 'whoever', password });
        await client.connect();
        expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
        await client.end();
        const plain = new pg.Client({ ...options, user: 'whoever', password, ssl: false });
        await expect(plain.connect()).rejects.toThrow(/TLS/);
      }
    });
  });

  describe('what drivers of other languages send', () => {
    it('lets a pool clean its connection in one message', async () => {
      const client = await gateway.client(alice, 'lab');
      await client.query('declare c cursor with hold for select 1');
      // asyncpg, at every release
      await client.query('select pg_advisory_unlock_all(); close all; unlisten *; reset all;');
      await expect(client.query('fetch c')).rejects.toMatchObject({ code: '34000' });
      await client.query('deallocate all; close all');
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      await client.end();
    });

    it('gives a whole row as its server does', async () => {
      const client = await gateway.client(alice, 'lab');
      await client.query('create temp table whole as select 1 as a, 2 as b');
      expect((await client.query('select whole from whole')).rows).toEqual([{ whole: '(1,2)' }]);
      expect((await client.query('select w, w.a from whole w')).rows).toEqual([{ w: '(1,2)', a: 1 }]);
      await client.end();
    });
  });

  describe('postgres.js', () => {
    it('fetches types, pipelines, transacts and cursors', async () => {
      const { port } = { port: gateway.running.ports.postgres };
      const sql = postgres({
        host: 'localhost',
        port,
        user: `g.${alice.id}`,
        password: alice.secret,
        database: 'lab',
        ssl: { ca: readFileSync(gateway.ca, 'utf8') },
        max: 2,
        onnotice: () => {},
      });
      expect(await Promise.all([1, 2, 3, 4].map(async (n) => (await sql`select ${n}::int as n`)[0]?.['n']))).toEqual([
        1, 2, 3, 4,
      ]);
      await sql`create table if not exists made (id int, tags text[])`;
      const sum = await sql.begin(async (tx) => {
        await tx`insert into made values (1, ${['a', 'b']}), (2, ${[]})`;
        return (await tx`select sum(id)::int as sum from made`)[0]?.['sum'];
      });
      expect(sum).toBe(2 + 1);
      await expect(
        sql.begin(async (tx) => {
          await tx`insert into made values (3, null)`;
          await tx`select 1 / (id - 1) from made`;
        }),
      ).rejects.toMatchObject({ code: '22012' });
      expect((await sql`select count(*)::int as n from made`)[0]?.['n']).toBe(2);
      const seen: number[] = [];
      await sql`select i from generate_series(1, 25) i`.cursor(10, (rows) => {
        seen.push(rows.length);
      });
      expect(seen).toEqual([10, 10, 5]);
      expect((await sql`select tags from made where id = 1`)[0]?.['tags']).toEqual(['a', 'b']);
      await sql`drop table made`;
      await sql.end();
    });
  });
});

function worded(text: string): string[] {
  return [...text.matchAll(/(ERROR|NOTICE|WARNING|FATAL): {2}(\S{5}):/g)].map(([line]) => line);
}
