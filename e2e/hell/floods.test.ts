import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/devtools/postgres.ts';
import { writeQuery } from '../../src/wire/postgres/query.ts';
import { writeStartup } from '../../src/wire/postgres/startup.ts';
import { Gateway, type Pass } from '../testing/gateway.ts';
import { RawClient } from '../testing/raw-client.ts';

// Clients that take and do not give, each from an address of its own, with somebody who works beside them.

const LIMITS = 'limits: { connections: 60, connections_per_source: 30, logins_per_source: 10, login_timeout: 2 }\n';
const STARTUP = writeStartup(new Map([['user', 'x'], ['database', 'shop']])); // biome-ignore format: one line
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

let gateway: Gateway;
let health: number;
let pass: Pass;
let calm: pg.Client;
const hostile: RawClient[] = [];

beforeAll(async () => {
  health = await freePort();
  gateway = await Gateway.start({ more: LIMITS, ports: { https: 0, postgres: 0, health } });
  pass = await gateway.person('carol');
  calm = await gateway.client(pass);
});

afterEach(async () => {
  for (const client of hostile.splice(0)) client.close();
  await expect(works()).resolves.toBeLessThan(1_000);
});

afterAll(async () => {
  await calm?.end();
  await gateway?.stop();
});

/** Milliseconds that somebody waits whose session was there before. */
async function works(): Promise<number> {
  const began = performance.now();
  await calm.query('select id from orders where id = 1');
  return performance.now() - began;
}

async function crowd(count: number, from: string): Promise<RawClient[]> {
  const clients = await Promise.all(
    Array.from({ length: count }, () => RawClient.open(gateway.running.ports.postgres, from)),
  );
  hostile.push(...clients);
  return clients;
}

async function closedWithin(clients: readonly RawClient[], milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end && clients.some((client) => !client.closed)) await sleep(20);
  return clients.filter((client) => client.closed).length;
}

describe('who does not log in', () => {
  it.each<[string, string, (client: RawClient, n: number) => void]>([
    ['says nothing', '127.0.1.1', () => undefined],
    ['asks for TLS and leaves it there', '127.0.1.2', (client) => client.send(SSL_REQUEST)],
    [
      'begins a handshake',
      '127.0.1.3',
      (client) => {
        client.send(SSL_REQUEST);
        setTimeout(() => client.send(Buffer.from([22, 3, 1, 2, 0])), 200);
      },
    ],
    ['does not answer the password prompt', '127.0.1.4', (client) => client.send(writeStartup(new Map([['user', `g.${'0'.repeat(22)}`], ['database', 'shop']])))], // biome-ignore format: one line
    ['promises a startup message and keeps it', '127.0.1.5', (client) => client.send(STARTUP.subarray(0, 9))],
  ])('and %s is closed when its time is over', async (_name, from, act) => {
    const clients = await crowd(8, from);
    clients.forEach(act);
    await sleep(1_000);
    await expect(works()).resolves.toBeLessThan(500);
    expect(clients.filter((client) => client.closed)).toHaveLength(0);
    await expect(closedWithin(clients, 4_000)).resolves.toBe(8);
  });

  it('but sends a byte now and then gains nothing by it', async () => {
    const clients = await crowd(8, '127.0.1.6');
    const began = performance.now();
    let at = 0;
    const dripping = setInterval(() => {
      for (const client of clients) if (!client.closed) client.send(STARTUP.subarray(at, at + 1));
      at += 1;
    }, 150);
    await expect(closedWithin(clients, 5_000)).resolves.toBe(8);
    clearInterval(dripping);
    expect(performance.now() - began).toBeGreaterThan(1_500);
  });

  it('takes no more than its share, is told so, and leaves others theirs', async () => {
    const silent = await crowd(10, '127.0.1.7');
    await sleep(100);
    const [late] = await crowd(1, '127.0.1.7');
    await late?.wait((seen) => seen.length > 0);
    expect(late?.errors()).toEqual(['53300']);
    expect(silent.filter((client) => client.closed)).toHaveLength(0);
    const other = await gateway.client(pass);
    await other.query('select 1');
    await other.end();
    await expect(closedWithin(silent, 4_000)).resolves.toBe(10);
  });

  it('cannot ask for TLS twice, or send plain bytes behind the request', async () => {
    const [twice, behind] = await crowd(2, '127.0.1.8');
    behind?.send(Buffer.concat([SSL_REQUEST, STARTUP]));
    await expect(closedWithin(behind === undefined ? [] : [behind], 2_000)).resolves.toBe(1);
    expect(behind?.errors()).toEqual(['08P01']);
    twice?.send(SSL_REQUEST);
    await sleep(200);
    twice?.send(SSL_REQUEST); // a handshake was awaited
    await expect(closedWithin(twice === undefined ? [] : [twice], 2_000)).resolves.toBe(1);
  });
});

describe('a flood of connections', () => {
  it('is turned away, counted, and over when it is over', async () => {
    const clients = await crowd(400, '127.0.1.9');
    await sleep(200);
    await expect(works()).resolves.toBeLessThan(1_000);
    await expect(closedWithin(clients, 8_000)).resolves.toBe(400);
    const metrics = await (await fetch(`http://127.0.0.1:${health}/metrics`)).text();
    expect(Number(/^sallyport_connections_turned_away_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(390);
    expect(Number(/^sallyport_connections (\d+)$/m.exec(metrics)?.[1])).toBeLessThanOrEqual(2);
    const [after] = await crowd(1, '127.0.1.9');
    after?.send(SSL_REQUEST);
    await sleep(200);
    expect(after?.closed).toBe(false);
  });

  it('of those who may, stops at what one address and all together may have', async () => {
    const open: pg.Client[] = [];
    try {
      // One is there already. Logged in, they count against the address, not against its logins.
      for (let n = 1; n < 30; n++) open.push(await gateway.client(pass));
      await expect(gateway.client(pass)).rejects.toMatchObject({ message: expect.stringMatching(/SSL|too many/) });
      const [told] = await crowd(1, '127.0.0.1');
      await told?.wait((seen) => seen.length > 0);
      expect(told?.errors()).toEqual(['53300']);
    } finally {
      await Promise.all(open.map((client) => client.end()));
    }
    const again = await gateway.client(pass);
    await again.end();
  });
});

describe('who asks and does not listen', () => {
  it('has its answers wait at the target, not in memory', async () => {
    const client = await RawClient.open(gateway.running.ports.postgres);
    hostile.push(client);
    await client.login(`g.${pass.id}`, pass.secret, 'shop');
    client.socket.pause();
    const held = (): number => {
      const { arrayBuffers, external } = process.memoryUsage();
      return Math.max(arrayBuffers, external);
    };
    const before = held();
    client.send(writeQuery('select g, repeat(md5(g::text), 8) from generate_series(1, 400000) g'));
    await sleep(3_000);
    expect(held() - before).toBeLessThan(4 * 1024 * 1024);
    await expect(works()).resolves.toBeLessThan(500);
  });

  it('may ask a hundred thousand times', async () => {
    const client = await RawClient.open(gateway.running.ports.postgres);
    hostile.push(client);
    await client.login(`g.${pass.id}`, pass.secret, 'shop');
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => writeQuery('select 1')));
    for (let n = 0; n < 100; n++) client.send(many);
    for (let n = 0; n < 5; n++) {
      await sleep(200);
      await expect(works()).resolves.toBeLessThan(1_000);
    }
    await client.wait((seen) => seen.length > 10_000, 10_000);
    expect(client.errors()).toEqual([]);
  });
});
