import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway, type Pass } from './testing/gateway.ts';

let gateway: Gateway;
let alice: Pass;

beforeAll(async () => {
  gateway = await Gateway.start();
  alice = await gateway.person('alice');
});
afterAll(() => gateway?.stop());

interface Live {
  readonly client: pg.Client;
  /** When it was cut, and with which code. */
  readonly cut: Promise<{ at: number; code: string | undefined }>;
}

async function live(pass: Pass): Promise<Live> {
  const client = new pg.Client(gateway.options(pass));
  const cut = new Promise<{ at: number; code: string | undefined }>((resolve) => {
    client.on('error', (thrown: Error & { code?: string }) => resolve({ at: performance.now(), code: thrown.code }));
  });
  await client.connect();
  await client.query('select 1');
  return { client, cut };
}

function revoke(pass: Pass) {
  return gateway.post('/oauth/revoke', { token: pass.pass });
}

describe('revoking a pass', () => {
  it('ends the sessions of all its descendants at once, and no others', async () => {
    const job = await gateway.job(
      alice,
      { target: 'shop', actions: ['select'] },
      { delegable: 'true', max_depth: '2' },
    );
    const other = await gateway.job(alice, { target: 'shop', actions: ['select'] });
    const helpers = await Promise.all(Array.from({ length: 3 }, () => gateway.helper(job, undefined)));
    const sessions = await Promise.all([job, ...helpers].map(live));
    const bystander = await live(other);
    const began = performance.now();
    expect((await revoke(job)).status).toBe(200);
    const cuts = await Promise.all(sessions.map((session) => session.cut));
    expect(cuts.map((cut) => cut.code)).toEqual(cuts.map(() => '57P01'));
    expect(Math.max(...cuts.map((cut) => cut.at)) - began).toBeLessThan(1_000);
    expect((await bystander.client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await expect(gateway.client(helpers[0] ?? job)).rejects.toMatchObject({ code: '28P01' });
    await expect(gateway.helper(job, undefined)).rejects.toThrow(/refused/);
    await bystander.client.end();
  });

  it('cancels what runs upstream and leaves nothing open there', async () => {
    const job = await gateway.job(alice, { target: 'shop', actions: ['select'] });
    const { client } = await live(job);
    const sleeping = expect(client.query('select pg_sleep(30)')).rejects.toMatchObject({ code: '57P01' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await revoke(job);
    await sleeping;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const left = await gateway.world.postgres.query(
      `select pid from pg_stat_activity where application_name like 'sallyport:${job.id.slice(0, 8)}%'`,
    );
    expect(left).toEqual([]);
  });
});

describe('shutting down', () => {
  it('tells its sessions', async () => {
    const own = await Gateway.start();
    const pass = await own.person('alice');
    const client = new pg.Client(own.options(pass));
    const cut = new Promise<Error>((resolve) => client.on('error', resolve));
    await client.connect();
    await client.query('select 1');
    await own.stop();
    expect(await cut).toMatchObject({ code: '57P01' });
  });
});
