import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Gateway } from './testing/gateway.ts';

// A cancel travels on a connection of its own. On a bad line it arrives before the statement that it is for.

let gateway: Gateway;
let line: Server;
let slow = false;
let through = 0;

/** What a client sends arrives later when the line is slow, unless it is a cancel: 16 bytes, and the first. */
function carry(client: Socket): void {
  const { host, port } = gateway.world.postgres;
  const server = connect(port, host);
  let first = true;
  through += 1;
  client.on('data', (chunk: Buffer) => {
    const late = slow && !(first && chunk.length === 16);
    first = false;
    setTimeout(() => server.write(chunk), late ? 250 : 0);
  });
  client.on('end', () => setTimeout(() => server.end(), slow ? 260 : 0));
  server.on('data', (chunk: Buffer) => client.write(chunk));
  server.on('close', () => client.destroy());
  for (const socket of [client, server]) socket.on('error', () => {});
}

beforeAll(async () => {
  gateway = await Gateway.start();
  line = createServer({ allowHalfOpen: true }, carry).listen(0, '127.0.0.1');
  await new Promise((resolve) => line.once('listening', resolve));
  const { host, port } = gateway.world.postgres;
  const { port: other } = line.address() as { port: number };
  const text = readFileSync(gateway.world.config, 'utf8');
  writeFileSync(gateway.world.config, text.replaceAll(`address: ${host}:${port}`, `address: 127.0.0.1:${other}`));
});
afterAll(async () => {
  line?.close();
  await gateway?.stop();
});

it('is asked again until the target has let go', async () => {
  const alice = await gateway.person('alice');
  for (const end = Date.now() + 10_000; through === 0 && Date.now() < end; await sleep(200)) {
    await (await gateway.client(alice, 'lab')).query('select 1');
  }
  const job = await gateway.job(alice, { target: 'shop' });
  const client = new pg.Client(gateway.options(job));
  client.on('error', () => {});
  await client.connect();
  await client.query('select 1');
  slow = true;
  const sleeping = expect(client.query('select pg_sleep(20)')).rejects.toMatchObject({ code: '57P01' });
  await gateway.post('/oauth/revoke', { token: job.pass });
  await sleeping;
  const began = performance.now();
  const of = `application_name like 'sallyport:${job.id.slice(0, 8)}%'`;
  while ((await gateway.world.postgres.query(`select pid from pg_stat_activity where ${of}`)).length > 0) {
    expect(performance.now() - began).toBeLessThan(1_500);
    await sleep(20);
  }
});
