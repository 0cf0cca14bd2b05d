import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gateway } from './testing/gateway.ts';
import { RawClient } from './testing/raw-client.ts';

// A gateway that cannot hear revocations passes nothing on that was not passed on before, and goes on when it can.

let gateway: Gateway;
/** The embedded store, past the gateway. */
let store: pg.Client;

beforeAll(async () => {
  gateway = await Gateway.start();
  store = new pg.Client({
    host: join(gateway.dataDirectory, 'postgres', 'run'),
    user: 'sallyport',
    database: 'postgres',
  });
  await store.connect();
});
afterAll(async () => {
  await store?.end();
  await gateway?.stop();
});

it('a result under way stops while the feed is silent, and is whole once it is heard again', async () => {
  const alice = await gateway.person('alice');
  const client = await RawClient.open(gateway.running.ports.postgres);
  await client.login(`g.${alice.id}`, alice.secret, 'lab');
  const text = "select n, pg_sleep(0.01), repeat('x', 2000) from generate_series(1, 700) n";
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(5);
  head.write('Q');
  head.writeInt32BE(body.length + 4, 1);
  const rows = () => client.seen.filter(({ type }) => type === 'D').length;
  const ready = client.seen.filter(({ type }) => type === 'Z').length;
  client.send(head, body);
  await client.wait(() => rows() > 0);

  await store.query('begin');
  await store.query('lock table sallyport.feed_head in access exclusive mode');
  await sleep(3_000); // silent after two seconds, seen within a quarter of one
  const before = rows();
  await sleep(1_000);
  expect(rows()).toBe(before);
  expect(before).toBeLessThan(600);

  await store.query('rollback');
  await client.wait((seen) => seen.filter(({ type }) => type === 'Z').length > ready, 15_000);
  expect(rows()).toBe(700);
  client.socket.destroy();
});
