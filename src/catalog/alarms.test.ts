import { afterAll, beforeAll, expect, it } from 'vitest';
import { targetAt } from '../core/testing/target.ts';
import { startPostgres, type ThrowawayPostgres } from '../devtools/postgres.ts';
import { readAlarms } from './alarms.ts';
import { Catalogs } from './catalogs.ts';
import { connectCatalog } from './connection.ts';

let server: ThrowawayPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await server.query(`
    create role good login password 'x'; create role bypass login password 'x' bypassrls;
    create role files login password 'x'; grant pg_read_server_files to files;
    create role deep login password 'x'; create role between; grant pg_execute_server_program to between; grant between to deep;
    create role owner login password 'x'; create role "o'd\\d" login password 'x';
    create schema owner authorization owner; create schema "My, app"; create schema elsewhere; create schema later;
    grant create on schema elsewhere to good;
    grant create on schema public to "o'd\\d"; grant create on schema later to files;
    alter role files set search_path = later, public;
  `);
});

afterAll(() => server?.stop());

const target = () => targetAt(server);

async function alarms(user: string, roles: readonly string[] = []): Promise<string[]> {
  const password = user === 'postgres' ? server.password : 'x';
  const connection = await connectCatalog(target(), 'postgres', { user, password, role: undefined });
  try {
    return await readAlarms(connection, roles);
  } finally {
    await connection.end();
  }
}

it.each([
  ['good', []],
  ['postgres', ['the role postgres is a superuser: use an ordinary one']],
  ['bypass', ['the role bypass has BYPASSRLS: row-level security does not hold for it']],
  [
    'files',
    [
      "the role files is a member of pg_read_server_files: it reaches the server's files",
      'the role files may create in later of its search path: what is made there can shadow what policy names',
    ],
  ],
  ['deep', ["the role deep is a member of pg_execute_server_program: it reaches the server's files"]],
  ['owner', ['the role owner may create in owner of its search path: what is made there can shadow what policy names']],
])('of the role %s are told', async (user, expected) => {
  expect(await alarms(user)).toEqual(expected);
});

it('are told of every role that sessions run as', async () => {
  expect(await alarms('good', ['good', 'bypass', "o'd\\d", 'nobody'])).toEqual([
    'the role bypass has BYPASSRLS: row-level security does not hold for it',
    "the role o'd\\d may create in public of its search path: what is made there can shadow what policy names",
  ]);
});

it('are told once for each reading that finds something new', async () => {
  const told: string[] = [];
  const catalogs = new Catalogs({
    connect: (_target, database) => connectCatalog(target(), database, { ...server, role: undefined }),
    rules: () => undefined,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onProblem: (_target, _database, problem) => told.push(problem),
  });
  await catalogs.get('shop', 'postgres');
  catalogs.changed('shop', 'postgres');
  await catalogs.get('shop', 'postgres');
  expect(told).toHaveLength(1);
  await catalogs.close();
});
