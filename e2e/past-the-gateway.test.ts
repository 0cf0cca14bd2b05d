import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readAudit } from '../src/audit/reader.ts';
import { sallyport } from '../src/cli/testing/run.ts';
import type { AuditEvent } from '../src/core/evidence.ts';
import { freePort, startPostgres, type ThrowawayPostgres } from '../src/devtools/postgres.ts';
import { type Running, serve } from '../src/main.ts';
import { Gateway } from './testing/gateway.ts';

// Sessions at the target that are not ours, and ours, which must never be accused.

/** A session this young may be one of ours that is logging in. */
const YOUNG = 5_500;
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

let gateway: Gateway | undefined;
let store: ThrowawayPostgres | undefined;
let second: Running | undefined;
const open: pg.Client[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end().catch(() => {})));
  await second?.close();
  await gateway?.stop();
  await store?.stop();
  [gateway, second, store] = [undefined, undefined, undefined];
});

async function past(user: string | undefined, application: string): Promise<pg.Client> {
  const { postgres } = gateway!.world;
  const client =
    user === undefined
      ? await gateway!.direct()
      : new pg.Client({
          host: postgres.host,
          port: postgres.port,
          user,
          password: postgres.password,
          database: 'shop',
        });
  if (user !== undefined) await client.connect();
  client.on('error', () => {});
  await client.query(`set application_name = '${application}'`);
  open.push(client);
  return client;
}

async function alarms(): Promise<AuditEvent[]> {
  const found: AuditEvent[] = [];
  const folder = join(gateway!.dataDirectory, 'evidence');
  for await (const { event } of readAudit(folder, { types: ['alarm'] })) found.push(event);
  return found;
}

const run = (...args: string[]) => sallyport(args, { cwd: gateway!.directory });

async function findings(): Promise<unknown[]> {
  const { out } = await run('targets', 'test', 'shop', '--json');
  return JSON.parse(out).bypass.findings;
}

describe('a session past the gateway', () => {
  it('is found within a poll, whatever it calls itself; ours are not', async () => {
    const health = await freePort();
    gateway = await Gateway.start({ ports: { https: 0, postgres: 0, health } });
    await past(undefined, 'sallyport:catalog');
    const alice = await gateway.client(await gateway.person('alice'));
    open.push(alice);
    await alice.query('select 1');
    await run('targets', 'discover', 'lab');
    await vi.waitFor(async () => expect(await alarms()).not.toEqual([]), { timeout: 45_000, interval: 500 });

    expect(await alarms()).toMatchObject([
      {
        alarm: 'bypass',
        target: 'shop',
        role: 'shop_app',
        address: '127.0.0.1',
        sessions: 1,
        applications: ['sallyport:catalog'],
      },
    ]);
    const ready = await fetch(`http://127.0.0.1:${health}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: 'ready', bypass: { sessions: 1, targets: 1 } });
    expect((await run('targets')).out).toMatch(/shop .*1 session/);
    const told = await run('targets', 'test', 'shop');
    expect(told.out).toContain('1 session of shop_app from 127.0.0.1 (sallyport:catalog) goes past the gateway');
    expect(told.out).toContain('grant pg_read_all_stats');
    expect(await alarms()).toHaveLength(1); // once an hour
  });

  it('of another role is found without the right to see it, at the second look', async () => {
    gateway = await Gateway.start();
    await past('postgres', 'by hand');
    await findings();
    await sleep(100);
    expect(await findings()).toMatchObject([{ role: 'postgres', address: null, sessions: 1 }]);
  });

  it('of another role is seen in full with it', async () => {
    gateway = await Gateway.start();
    await gateway.world.postgres.query('grant pg_read_all_stats to shop_app');
    await past('postgres', 'by hand');
    await sleep(YOUNG);
    expect(await findings()).toMatchObject([{ role: 'postgres', address: '127.0.0.1', applications: ['by hand'] }]);
    expect((await run('targets', 'test', 'shop')).out).not.toContain('pg_read_all_stats');
  });

  it.each([
    ['shared', [{ role: 'shop_app' }]],
    ['off', undefined],
  ])('is looked for as the configuration says (%s)', async (bypass, expected) => {
    gateway = await Gateway.start({ shop: `    bypass: ${bypass}\n` });
    await past(undefined, 'copy');
    await past('postgres', 'by hand');
    await sleep(YOUNG);
    const { out } = await run('targets', 'test', 'shop', '--json');
    const told = JSON.parse(out).bypass;
    if (expected === undefined) expect(told).toBeUndefined();
    else expect(told.findings).toMatchObject(expected);
  });
});

describe('our own sessions', () => {
  it('are not accused while the server runs what a client left behind', async () => {
    gateway = await Gateway.start();
    const alice = await gateway.client(await gateway.person('alice'), 'lab');
    void alice.query('select pg_sleep(30)').catch(() => {});
    const running = () =>
      gateway?.world.postgres.query("select 1 from pg_stat_activity where query = 'select pg_sleep(30)'");
    await vi.waitFor(async () => expect(await running()).toHaveLength(1), { timeout: 10_000 });
    // Its socket: a client that is gone, not one that says goodbye.
    alice.connection.stream.destroy();
    await sleep(7_000);
    const { out } = await run('targets', 'test', 'lab', '--json');
    expect(await running()).toHaveLength(1);
    expect(JSON.parse(out).bypass.findings).toEqual([]);
  });

  it('are known on every node of a fleet, and an adoption reaches them all', async () => {
    store = await startPostgres();
    await store.query('create database sallyport');
    const { host, port, user, password } = store;
    gateway = await Gateway.start({ more: `store: postgres://${user}:${password}@${host}:${port}/sallyport\n` });
    const config = join(gateway.directory, 'second.yaml');
    const text = readFileSync(gateway.world.config, 'utf8');
    writeFileSync(config, text.replace('node: demo', 'node: demo-2').replace('data: ./var', 'data: ./var-2'));
    mkdirSync(join(gateway.directory, 'var-2'), { mode: 0o700 });
    cpSync(join(gateway.dataDirectory, 'keys'), join(gateway.directory, 'var-2', 'keys'), { recursive: true });
    second = await serve({ config, log: SILENT });

    const alice = await gateway.person('alice');
    const there = new pg.Client({
      ...gateway.options(alice),
      port: second.ports.postgres,
      ssl: { ca: readFileSync(second.ca ?? '', 'utf8') },
    });
    await there.connect();
    open.push(there);
    await there.query('select 1');
    await past(undefined, 'copy');
    await sleep(YOUNG);
    expect(await findings()).toMatchObject([{ applications: ['copy'], sessions: 1 }]);

    const adopted = await run('targets', 'adopt', 'shop', '--yes', '--end-others');
    expect(adopted.out).toContain('Ended of others: 1 session.');
    expect((await there.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    const again = new pg.Client({
      ...gateway.options(alice),
      port: second.ports.postgres,
      ssl: { ca: readFileSync(second.ca ?? '', 'utf8') },
    });
    await again.connect();
    open.push(again);
    expect((await again.query('select 3 as three')).rows).toEqual([{ three: 3 }]);
    expect(await findings()).toEqual([]);
  });
});
