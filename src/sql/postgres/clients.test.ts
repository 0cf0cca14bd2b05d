import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealShop, startShop } from './testing/real.ts';

// What real clients ask of the catalog, taken from a real server's log, must come out as looking at the catalog and
// nothing worse. The server is of the clients' version where that is installed.

const psql = find('psql');
const dump = find('pg_dump');
let shop: RealShop;

beforeAll(async () => {
  const programs = '/usr/lib/postgresql/15/bin';
  const settings = ['log_statement=all', 'logging_collector=on', 'log_destination=csvlog', 'log_min_messages=log'];
  const older = psql?.version === '15' && existsSync(`${programs}/initdb`);
  shop = await startShop({ settings, ...(older ? { programs } : {}) });
});

afterAll(async () => {
  await shop?.stop();
});

function find(program: string): { readonly version: string } | undefined {
  try {
    const said = execFileSync(program, ['--version'], { encoding: 'utf8' });
    return { version: /\) (\d+)/.exec(said)?.[1] ?? '' };
  } catch {
    return undefined;
  }
}

/** Runs a client and gives the statements that the server logged meanwhile. */
async function asked(program: string, args: readonly string[]): Promise<string[]> {
  const { host, port, user, password } = shop.server;
  const before = (await logged()).length;
  const env = {
    ...process.env,
    PGPASSWORD: password,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: 'postgres',
  };
  execFileSync(program, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 });
  return (await logged()).slice(before).filter((text) => !text.includes('pg_current_logfile'));
}

async function logged(): Promise<string[]> {
  const [row] = await shop.server.query("select pg_read_file(pg_current_logfile('csvlog')) as text");
  return [...String(row?.['text']).matchAll(/"(?:statement|execute [^:"]*): ((?:[^"]|"")*)"/g)].map((match) =>
    (match[1] ?? '').replaceAll('""', '"'),
  );
}

/** Kinds of use, apart from introspection, of all statements together. */
function beyond(texts: readonly string[]): string[] {
  const statements = texts.flatMap((text) => shop.read(text).statements);
  const uses = statements.flatMap(({ uses, settings }) => [
    ...uses
      .filter(({ action }) => action !== 'introspect')
      .map(({ action, resource }) => `${action} ${resource.path.slice(2).join('.')}`),
    ...settings.filter(({ class: kind }) => kind === 'admin').map(({ name }) => `setting ${name}`),
  ]);
  return [...new Set(uses)].toSorted();
}

const COMMANDS = `
  \\d \\dt \\di \\ds \\dv \\dm \\dE \\df \\da \\l \\dn \\du \\dg \\dp \\dT \\dD \\do \\dC \\dc \\dO \\dF \\dFd \\dFp \\dFt \\db \\dx \\dy
  \\dL \\dA \\dAc \\dAf \\dAo \\dAp \\des \\deu \\dew \\det \\dRp \\dRs \\drds \\ddp \\dP \\dX \\dl \\dd \\dt+ \\di+ \\dv+ \\dm+ \\l+ \\dn+ \\du+
  \\dT+ \\db+ \\dP+ \\dx+ \\dS`;

describe.runIf(psql)('psql', () => {
  it('only looks at the catalog with its backslash commands', async () => {
    const details = [
      '\\d customers',
      '\\d+ customers',
      '\\d contacts',
      '\\d+ contacts',
      '\\d orders_pkey',
      '\\sv contacts',
      '\\dt *.*',
    ];
    const commands = [...COMMANDS.trim().split(/\s+/), ...details];
    const texts = await asked('psql', ['-X', ...commands.flatMap((command) => ['-c', command])]);
    expect(texts.length).toBeGreaterThan(commands.length);
    expect(beyond(texts)).toEqual([]);
  });

  it.each([
    ['\\df+', ['admin pg_catalog.pg_get_function_sqlbody', 'admin pg_catalog.pg_proc']],
    ['\\sf leak', ['admin pg_catalog.pg_get_functiondef']],
  ])('asks for sources with %s', async (command, expected) => {
    expect(beyond(await asked('psql', ['-X', '-c', command]))).toEqual(expect.arrayContaining([expected[0]]));
  });
});

describe.runIf(dump)('pg_dump -s', () => {
  it('only looks at the catalog and locks tables, sources of functions and subscriptions aside', async () => {
    const texts = await asked('pg_dump', ['-s']);
    expect(texts.length).toBeGreaterThan(30);
    const found = beyond(texts).filter((use) => !/^lock (public|other)\./.test(use));
    const sources = /^admin pg_catalog\.(pg_proc|pg_get_function_sqlbody|pg_subscription)$/;
    expect(found.filter((use) => !sources.test(use))).toEqual([]);
  });
});

describe('drivers', () => {
  it.each([
    [
      "select t.oid, t.typarray from pg_catalog.pg_type a left join pg_catalog.pg_type t on t.oid = a.typelem where a.typcategory = 'A' group by 1, t.typarray order by t.oid",
    ],
    ['select oid, typname from pg_type where typname = any ($1)'],
    [
      "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public' order by ordinal_position",
    ],
    [
      'select a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid) from pg_attribute a left join pg_attrdef d on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attrelid = \'"customers"\'::regclass and a.attnum > 0',
    ],
    [
      "select kcu.column_name from information_schema.table_constraints tc join information_schema.key_column_usage kcu using (constraint_schema, constraint_name) where tc.constraint_type = 'PRIMARY KEY'",
    ],
    ["select current_schema(), current_setting('server_version_num'), session_user"],
    [
      'select c.relname, array(select pg_get_indexdef(i.indexrelid, k + 1, true) from generate_subscripts(i.indkey, 1) k) from pg_index i join pg_class c on c.oid = i.indexrelid',
    ],
  ])('only look at the catalog: %s', (text) => {
    expect(beyond([text])).toEqual([]);
  });
});
