import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { readAudit } from '../src/audit/reader.ts';
import { startPostgres, type ThrowawayPostgres } from '../src/devtools/postgres.ts';
import { Gateway } from './testing/gateway.ts';

// What an operator lives through: policies that change, a store that goes away, a target that is only watched.

let gateway: Gateway | undefined;
let store: ThrowawayPostgres | undefined;

afterEach(async () => {
  await gateway?.stop();
  await store?.stop();
  gateway = undefined;
  store = undefined;
});

describe('a store that goes away', () => {
  it('lets no new session in, pauses those that live, and ends them when it stays away', async () => {
    store = await startPostgres();
    await store.query('create database sallyport');
    const { host, port, user, password } = store;
    gateway = await Gateway.start({
      more: `store: postgres://${user}:${password}@${host}:${port}/sallyport\nfeed_grace: 6\n`,
    });
    const alice = await gateway.person('alice');
    const client = new pg.Client(gateway.options(alice, 'lab'));
    const ended = new Promise<Error & { code?: string }>((resolve) => client.on('error', resolve));
    await client.connect();
    await client.query('select 1');
    await store.stop();
    await sleep(2_600); // the feed counts as silent after two seconds
    let answered = false;
    const paused = client.query('select 2').then(
      () => {
        answered = true;
      },
      () => {},
    );
    await expect(gateway.client(alice, 'lab')).rejects.toThrow();
    await sleep(500);
    expect(answered).toBe(false);
    await Promise.race([ended, paused]);
    expect(answered).toBe(false);
    await client.end().catch(() => {});
  });
});

describe('a policy that changes', () => {
  it('is felt by live sessions at their next statement, and a broken one by nobody', async () => {
    gateway = await Gateway.start();
    const client = await gateway.client(await gateway.person('carol'));
    const file = join(gateway.directory, 'policies', 'more.cedar');
    await client.query('select id from orders where id = 1');
    const until = async (expected: RegExp) => {
      for (let i = 0; i < 60; i++) {
        const said = await client.query('select id from orders where id = 1').then(
          () => 'permitted',
          (thrown: Error) => thrown.message,
        );
        if (expected.test(said)) return said;
        await sleep(100);
      }
      return 'never';
    };
    writeFileSync(
      file,
      '@id("closed") @reason("audit week") forbid (principal, action == Action::"select", resource in Table::"shop/shop/public/orders");',
    );
    expect(await until(/closed/)).toContain('audit week');
    writeFileSync(file, 'permit (principal, action, resource)  -- no semicolon, no Cedar');
    await sleep(700);
    expect(await until(/closed/)).toContain('audit week');
    writeFileSync(file, '// nothing any more');
    expect(await until(/^permitted$/)).toBe('permitted');
    await client.end();
  });
});

describe('a target that is only observed', () => {
  it('runs what would be refused, masks as told, records what would have been, and keeps its guardrails', async () => {
    gateway = await Gateway.start();
    const file = gateway.world.config;
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('    labels: [prod]', '    labels: [prod]\n    mode: observe'),
    );
    await sleep(1_000);
    const client = await gateway.client(await gateway.person('carol'));
    expect((await client.query('select email from customers where id = 1')).rows).toEqual([
      { email: 'c***@mail.example' },
    ]);
    expect((await client.query("select id from customers where email = 'customer3@mail.example'")).rows).toEqual([
      { id: 3 },
    ]);
    await expect(client.query('delete from orders')).rejects.toMatchObject({
      message: expect.stringContaining('bounded-writes'),
    });
    await client.end();
    const folder = join(gateway.dataDirectory, 'evidence');
    expect(existsSync(folder)).toBe(true);
    const would: unknown[] = [];
    for await (const { event } of readAudit(folder, { types: ['operation.cleared'] })) would.push(event['would']);
    expect(would).toContain('deny');
  });
});
