import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RAW } from './testing/everyday-answer.ts';
import { found, Gateway, type Pass, run } from './testing/gateway.ts';

// The whole output of psql's commands and of pg_dump, for somebody who may introspect and read but sees no labelled value.

let gateway: Gateway;
let alice: Pass;

beforeAll(async () => {
  const root = '/usr/lib/postgresql';
  const newest = (existsSync(root) ? readdirSync(root) : []).toSorted((a, b) => Number(a) - Number(b)).at(-1);
  const programs = `${root}/${newest}/bin`;
  gateway = await Gateway.start(existsSync(`${programs}/initdb`) ? { postgres: { programs } } : {});
  alice = await gateway.person('alice');
});
afterAll(() => gateway?.stop());

const COMMANDS = String.raw`
\d
\d+
\d customers
\d+ customers
\d orders
\d+ orders
\d open_orders
\d+ open_orders
\d orders_pkey
\d orders_id_seq
\d nothing
\d public.*
\dS pg_class
\dt
\dt+ public.*
\dt *.cust*
\dtvms
\dv
\dv+
\dm
\di
\di+ orders*
\ds
\dE
\df
\df lower
\da count
\dw
\du
\dg
\l
\dn
\dn+
\dp
\dp customers
\ddp
\dT
\dT+
\dTS int4
\dD
\do
\do ||
\dO
\dC
\dc
\dy
\dx
\dx+ plpgsql
\dL
\dA
\dAc btree
\dAf btree
\dAo btree
\db
\drds
\dRp
\dF
\dF+ english
\dFd
\dFp
\dFt
\des
\dew
\deu
\det
\dP
\dX
\dl
\dd
\z
\sv open_orders
\encoding
`;

describe.skipIf(!found('psql'))('psql', () => {
  it('gives the same output for every command', async () => {
    const commands = COMMANDS.split('\n').filter((line) => line.startsWith('\\'));
    expect(commands.length).toBeGreaterThan(60);
    const script = commands.map((command) => `\\echo ---- ${command.replaceAll('\\', '')}\n${command}\n`).join('');
    const args = ['-X', '-f', '-'];
    const direct = await run('psql', args, gateway.directLibpq(), script);
    const through = await run('psql', args, gateway.libpq(alice), script);
    expect(through.stderr).toBe(direct.stderr);
    expect(through.stdout.split('---- ')).toEqual(direct.stdout.split('---- '));
    expect(direct.stdout.length).toBeGreaterThan(20_000);
  });

  it.each([
    ['\\gdesc', 'select id, name, total from open_orders join customers using (id) \\gdesc\n'],
    ['\\gx', 'select * from orders where id = 3 \\gx\n'],
    [
      '\\crosstabview',
      "select status, date_trunc('month', placed_at)::date m, count(*) from orders group by 1, 2 order by 1, 2 \\crosstabview\n",
    ],
    ['\\gset', 'select max(id) as top from orders \\gset\nselect :top as top;\n'],
    ['\\copy', '\\copy (select id, status, total from orders order by id) to stdout csv header\n'],
    ['FETCH_COUNT', '\\set FETCH_COUNT 50\nselect id, status, total from orders order by id;\n'],
    ['\\watch once', '\\pset format csv\nselect id from orders order by id limit 2;\n'],
  ])('%s', async (_name, script) => {
    const args = ['-X', '-f', '-'];
    const direct = await run('psql', args, gateway.directLibpq(), script);
    expect(direct.stderr).toBe('');
    expect(await run('psql', args, gateway.libpq(alice), script)).toEqual(direct);
  });

  it.each(['\\df+ sin', '\\sf sin'])('is refused the source of a function: %s', async (command) => {
    const { stdout, stderr } = await run('psql', ['-X', '-c', command], gateway.libpq(alice));
    expect(stdout).toBe('');
    expect(stderr).toContain('admin');
  });
});

describe.skipIf(!found('pg_dump'))('pg_dump', () => {
  it('-s gives the same schema to the dba', async () => {
    const args = ['-s'];
    const direct = await run('pg_dump', args, gateway.directLibpq());
    const through = await run('pg_dump', args, gateway.libpq(await gateway.person('bob')));
    expect(plain(through.stdout)).toBe(plain(direct.stdout));
    expect(through.status).toBe(direct.status);
  });

  it.each(['-s', '-s -t customers', '-a -t orders', '-a -t staff -t orders --inserts'])(
    '%s for support',
    async (line) => {
      const args = line.split(' ');
      const direct = await run('pg_dump', args, gateway.directLibpq());
      const through = await run('pg_dump', args, gateway.libpq(alice));
      expect(through.stderr).toBe(direct.stderr);
      expect(plain(through.stdout).replace("'root', NULL", "'root', 'AKIAIOSFODNN7EXAMPLE'")).toBe(
        plain(direct.stdout),
      );
      expect(through.status).toBe(direct.status);
    },
  );

  it('dumps images of labelled columns', async () => {
    const args = ['-a', '-t', 'customers'];
    const direct = await run('pg_dump', args, gateway.directLibpq());
    const through = await run('pg_dump', args, gateway.libpq(alice));
    expect(through.status).toBe(direct.status);
    expect(through.stdout).not.toMatch(RAW);
    expect(through.stdout.split('\n').length).toBe(direct.stdout.split('\n').length);
  });
});

/** Newer versions of pg_dump frame their output with a random word. */
function plain(text: string): string {
  return text.replaceAll(/^\\(un)?restrict .*$/gm, '');
}
