import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type ThrowawayPostgres } from '../src/devtools/postgres.ts';
import { type Running, serve } from '../src/main.ts';
import { Gateway, type Pass } from './testing/gateway.ts';
import { serveProcess } from './testing/process.ts';

// Nodes that share a store share what is to be told: what one had when it was killed another carries, and none twice.

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };
const POLICIES = `
@id("support-drops")
permit (principal in Group::"support", action == Action::"ddl", resource in Database::"shop/shop");
`;

let store: ThrowawayPostgres;
let gateway: Gateway;
let second: Running | undefined;
let job: Pass;
let server: Server;
const got: { readonly id: string; readonly request: string }[] = [];
let answer: (response: ServerResponse) => void = () => undefined;

beforeAll(async () => {
  server = createServer((asked, response) => {
    let text = '';
    asked.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    asked.on('end', () => {
      got.push({ id: String(asked.headers['webhook-id']), request: JSON.parse(text).data.request.id });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env['NOTIFY_SECRET'] = 'a secret of more than 24 bytes';
  store = await startPostgres();
  await store.query('create database sallyport');
  const { host, port, user, password } = store;
  gateway = await Gateway.start({
    policies: { 'notify.cedar': POLICIES },
    more: `store: postgres://${user}:${password}@${host}:${port}/sallyport\n`,
    approvals: `  rules:
    - { name: dba-oncall, ask: [dba] }
  notify:
    - kind: webhook
      name: hook
      url: http://127.0.0.1:${(server.address() as AddressInfo).port}
      secret: env:NOTIFY_SECRET
`,
  });
  job = await gateway.job(await gateway.person('alice'), { target: 'shop' });
  const direct = await gateway.direct();
  await direct.query(Array.from({ length: 13 }, (_, index) => `create table told_${index} (n int);`).join(''));
  await direct.end();
}, 120_000);
afterAll(async () => {
  await second?.close();
  server?.closeAllConnections();
  server?.close();
  await gateway?.stop();
  await store?.stop();
  delete process.env['NOTIFY_SECRET'];
});

/** A second node on the same store, with the same keys and certificate. */
function another(): string {
  const { directory, world, dataDirectory } = gateway;
  const config = join(directory, 'second.yaml');
  const text = readFileSync(world.config, 'utf8');
  writeFileSync(config, text.replace('node: demo', 'node: demo-2').replace('data: ./var', 'data: ./var-2'));
  mkdirSync(join(directory, 'var-2'), { mode: 0o700 });
  for (const part of ['keys', 'tls'])
    cpSync(join(dataDirectory, part), join(directory, 'var-2', part), { recursive: true });
  return config;
}

async function ask(table: number): Promise<string> {
  const wish = { on: 'shop', sql: `drop table told_${table}` };
  const { status, body } = await gateway.ask('POST', '/v1/approvals', job, wish);
  expect({ status, body }).toMatchObject({ status: 201 });
  return String(body['id']);
}

it('what a node had when it was killed comes from another, under the same id; and of many each comes once', async () => {
  const config = another();
  await gateway.running.close();
  const killed = await serveProcess(config);
  gateway.running = { ...gateway.running, ports: killed.ports };
  const first = await ask(0);
  await expect.poll(() => got.map(({ request }) => request), { timeout: 10_000 }).toEqual([first]);
  killed.child.kill('SIGKILL');
  await killed.ended;

  answer = (response) => response.writeHead(204).end();
  gateway.running = await serve({ config: gateway.world.config, log: SILENT });
  await expect.poll(() => got.length, { timeout: 45_000, interval: 100 }).toBe(2);
  expect(got[1]).toEqual(got[0]);

  second = await serve({ config, log: SILENT });
  const requests = [];
  for (let table = 1; table <= 12; table++) requests.push(await ask(table));
  await expect.poll(() => got.length, { timeout: 10_000 }).toBe(14);
  await sleep(2_500);
  expect(
    got
      .slice(2)
      .map(({ request }) => request)
      .toSorted((a, b) => (a < b ? -1 : 1)),
  ).toEqual(requests.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(new Set(got.map(({ id }) => id)).size).toBe(13);
}, 120_000);
