import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sallyport } from '../src/cli/testing/run.ts';
import { SHOP_USER } from '../src/devtools/shop.ts';
import { startWorld, type World } from '../src/devtools/world.ts';
import { type GatewayProcess, serveProcess } from './testing/process.ts';

// SIGKILL while a password changes leaves a way in.

let world: World;
let directory: string;
let gateway: GatewayProcess | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-adoption-'));
  world = await startWorld({ directory });
});
afterEach(async () => {
  gateway?.child.kill('SIGTERM');
  await gateway?.ended;
  await world?.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const adopt = (...args: string[]) => sallyport(['targets', 'adopt', 'shop', ...args], { cwd: directory });

async function works(): Promise<unknown> {
  const client = new pg.Client({
    host: 'localhost',
    port: gateway?.ports.postgres ?? 0,
    user: 'x',
    password: await world.idp.idToken('alice'),
    database: 'lab',
    ssl: { ca: readFileSync(join(directory, 'var/tls/ca.pem'), 'utf8') },
  });
  await client.connect();
  try {
    return (await client.query('select 1 as one')).rows;
  } finally {
    await client.end();
  }
}

it('a gateway that is killed as soon as the server has changed the password has a way in', async () => {
  gateway = await serveProcess(world.config);
  expect(await works()).toEqual([{ one: 1 }]);
  const { host, port, user, password, query } = world.postgres;
  const watching = new pg.Client({ host, port, user, password });
  await watching.connect();
  const verifier = async () =>
    (await watching.query(`select rolpassword from pg_authid where rolname = '${SHOP_USER}'`)).rows[0]?.rolpassword;

  // Logins take a while from here on: so does the one that tries the new password.
  await query("alter system set post_auth_delay = '2s'");
  await query('select pg_reload_conf()');
  const before = await verifier();
  const doomed = adopt('--yes');
  while ((await verifier()) === before) await sleep(5);
  gateway.child.kill('SIGKILL');
  await gateway.ended;
  expect((await doomed).code).toBe(1);
  await watching.query('alter system reset post_auth_delay');
  await watching.query('select pg_reload_conf()');
  await watching.end();

  gateway = await serveProcess(world.config);
  expect(await works()).toEqual([{ one: 1 }]);
  expect((await adopt()).out).toContain('was begun');
  const test = await sallyport(['targets', 'test', 'shop'], { cwd: directory });
  expect(test.out).toContain('"sallyport targets adopt shop --yes" ends it');
  expect(await adopt('--yes')).toMatchObject({ code: 1, err: expect.stringContaining('try again in a minute') });
});
