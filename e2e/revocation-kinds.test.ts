import { execFile } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readAudit } from '../src/audit/reader.ts';
import { startPostgres } from '../src/devtools/postgres.ts';
import { serve } from '../src/main.ts';
import { Gateway, type Pass } from './testing/gateway.ts';

// Everything that can be revoked, on a running gateway: what dies, what may come back, and what is recorded of it.

const ALICE = 'alice@shop.example';

let gateway: Gateway;
let dave: Pass;

beforeAll(async () => {
  gateway = await Gateway.start();
  dave = await gateway.person('dave');
});
afterAll(() => gateway?.stop());

interface Live {
  readonly client: pg.Client;
  readonly cut: Promise<{ readonly code: string | undefined; readonly message: string; readonly at: number }>;
}

async function live(pass: Pass, database = 'shop'): Promise<Live> {
  const client = new pg.Client(gateway.options(pass, database));
  const cut = new Promise<Awaited<Live['cut']>>((resolve) => {
    client.on('error', ({ code, message }: Error & { code?: string }) => {
      resolve({ code, message, at: performance.now() });
    });
  });
  await client.connect();
  await client.query('select 1');
  return { client, cut };
}

const revoke = (body: object, as: Pass = dave) => gateway.ask('POST', '/v1/revocations', as, body);
const lift = (body: object) => gateway.ask('POST', '/v1/revocations/lift', dave, body);

/** A login of a token issued later than anything before: tokens count in whole seconds. */
async function anew(person: 'alice' | 'bob' | 'carol' | 'dave'): Promise<Pass> {
  await sleep(1_100);
  return await gateway.person(person);
}

async function subjectOf(pass: Pass): Promise<{ principal: string; groups: string[]; agent: string }> {
  const { body } = await gateway.ask('GET', '/v1/whoami', pass);
  const principal = body['principal'] as { id: string; groups: string[] };
  const agents = body['agents'] as { id: string }[];
  return { principal: principal.id, groups: principal.groups, agent: agents.at(-1)?.id ?? '' };
}

function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(import.meta.dirname, '../src/cli/main.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args, '--config', gateway.world.config], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

describe.each([
  ['a principal', 'principal'],
  ['an agent', 'agent'],
  ['a target', 'target'],
] as const)('%s that is revoked', (_name, kind) => {
  it('ends its sessions, stays out, and comes back when that is lifted, but its old passes do not', async () => {
    const alice = await anew('alice');
    const job = await gateway.job(alice, { target: 'shop' });
    const { principal, agent } = await subjectOf(job);
    const subject = { kind, id: { principal, agent, target: 'shop' }[kind] };
    const session = await live(job);
    const began = performance.now();
    const revoked = await revoke({ ...subject, reason: 'incident 42' });
    expect(revoked.status).toBe(201);
    expect(revoked.body['sessions']).toBe(1);
    const cut = await session.cut;
    expect(cut.code).toBe('57P01');
    expect(cut.message).toContain('incident 42');
    expect(cut.at - began).toBeLessThan(1_000);
    await expect(gateway.client(job)).rejects.toMatchObject({ code: expect.any(String) });
    expect((await revoke({ ...subject, reason: 'again' })).body['reason']).toBe('incident 42');

    expect((await lift({ ...subject, reason: 'over' })).body).toMatchObject({ lasting: false });
    await expect(gateway.client(job)).rejects.toMatchObject({ code: expect.any(String) });
    const fresh = await gateway.job(await anew('alice'), { target: 'shop' });
    const client = await gateway.client(fresh);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });
});

describe('a membership that is revoked', () => {
  it('ends what was logged in to with it, and asks for a new login', async () => {
    const alice = await anew('alice');
    const job = await gateway.job(alice, { target: 'shop' });
    const { principal, groups } = await subjectOf(alice);
    const token = await gateway.world.idp.idToken('alice');
    const session = await live(job);
    const { status } = await revoke({ kind: 'membership', id: principal, group: groups[0] ?? '', reason: 'moved' });
    expect(status).toBe(201);
    expect((await session.cut).code).toBe('57P01');
    await expect(gateway.client(alice)).rejects.toMatchObject({ code: '28P01' });
    const again = gateway.exchange({
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    });
    await expect(again).rejects.toThrow(/revoked since/);
    await (await gateway.client(await anew('alice'))).end();
  });
});

describe('somebody who lost a laptop', () => {
  it('ends everything of theirs by one command, and logs in again', async () => {
    const carol = await anew('carol');
    const session = await live(carol);
    const { principal } = await subjectOf(carol);
    expect((await revoke({ kind: 'principal', id: principal, reason: 'lost laptop' }, carol)).status).toBe(201);
    expect((await session.cut).code).toBe('57P01');
    await expect(gateway.client(carol)).rejects.toMatchObject({ code: '28P01' });
    await (await gateway.client(await anew('carol'))).end();
  });
});

describe('the command line', () => {
  it('revokes by name, lists, lifts, and kills a session', async () => {
    const alice = await anew('alice');
    const session = await live(alice);
    const killed = await live(await anew('carol'));
    const listed = JSON.parse((await cli('sessions', '--json')).out) as { id: string; chain: string }[];
    const id = listed.find(({ chain }) => chain.startsWith('carol'))?.id ?? '';
    expect(await cli('sessions', 'kill', id, '--reason', 'left open')).toMatchObject({ code: 0 });
    expect(await killed.cut).toMatchObject({ code: '57P01', message: 'this session was ended: left open' });

    const revoked = await cli('revoke', 'user', ALICE, '--reason', 'incident');
    expect(revoked.err).toContain('One live session ends with it.');
    expect((await session.cut).code).toBe('57P01');
    expect((await cli('revocations')).out).toContain('kept out');
    expect((await cli('revocations', 'lift', 'user', ALICE)).code).toBe(0);
    await (await gateway.client(await anew('alice'))).end();
  });
});

describe('a gateway that starts again', () => {
  it('still knows which target is closed', async () => {
    expect((await revoke({ kind: 'target', id: 'lab' })).status).toBe(201);
    await gateway.running.close();
    gateway.running = await serve({ config: gateway.world.config, log: { info() {}, warn() {}, error() {} } });
    const alice = await anew('alice');
    await expect(gateway.client(alice, 'lab')).rejects.toMatchObject({ message: expect.stringContaining('revoked') });
    expect((await lift({ kind: 'target', id: 'lab' })).status).toBe(200);
    await (await gateway.client(await anew('alice'), 'lab')).end();
  });
});

describe('sessions that are opened while their pass is revoked', () => {
  it('are all ended or never begin, and none is left behind', async () => {
    const alice = await anew('alice');
    for (const head of [0, 30, 60]) {
      const job = await gateway.job(alice, { target: 'shop' });
      const ended: Promise<void>[] = [];
      const open = async (n: number) => {
        await sleep(n * 4);
        const client = new pg.Client(gateway.options(job));
        ended.push(new Promise((resolve) => client.once('end', resolve)));
        client.on('error', () => {});
        await client.connect();
        await client.query('select pg_sleep(10)');
      };
      const opening = Promise.allSettled(Array.from({ length: 30 }, (_, n) => open(n)));
      await sleep(head);
      await revoke({ kind: 'grant', id: job.id });
      const results = await opening;
      expect(results.map(({ status }) => status)).toEqual(results.map(() => 'rejected'));
      await Promise.all(ended);
      const listed = async () => (await gateway.ask('GET', `/v1/sessions?chain=${job.id}`, dave)).body['sessions'];
      await vi.waitFor(async () => expect(await listed()).toEqual([]), 2_000);
    }
  });
});

describe('two nodes that share a store', () => {
  it('agree at once on what is revoked and lifted, also for who logs in at the other', async () => {
    const store = await startPostgres();
    await store.query('create database sallyport');
    const { host, port, user, password } = store;
    const first = await Gateway.start({ more: `store: postgres://${user}:${password}@${host}:${port}/sallyport\n` });
    const config = join(first.directory, 'second.yaml');
    const text = readFileSync(first.world.config, 'utf8').replace('node: demo', 'node: second');
    writeFileSync(config, text.replace('data: ./var', 'data: ./second'));
    cpSync(join(first.dataDirectory, 'keys'), join(first.directory, 'second', 'keys'), { recursive: true });
    chmodSync(join(first.directory, 'second'), 0o700);
    const second = await serve({ config, log: { info() {}, warn() {}, error() {} } });
    try {
      const alice = await first.person('alice');
      const options = {
        ...first.options(alice, 'lab'),
        port: second.ports.postgres,
        ssl: { ca: readFileSync(second.ca ?? '', 'utf8') },
      };
      const open = async () => {
        const client = new pg.Client(options);
        const cut = new Promise<number>((resolve) => client.on('error', () => resolve(performance.now())));
        await client.connect();
        await client.query('select 1');
        return { client, cut };
      };
      const there = await open();
      const admin = await first.person('dave');
      const target = { kind: 'target', id: 'lab' };
      const began = performance.now();
      expect((await first.ask('POST', '/v1/revocations', admin, target)).body['sessions']).toBe(1);
      expect((await there.cut) - began).toBeLessThan(1_000);
      await expect(open()).rejects.toMatchObject({ code: '57P01' });
      expect((await first.ask('POST', '/v1/revocations/lift', admin, target)).status).toBe(200);
      await sleep(300);
      await expect(open()).rejects.toMatchObject({ code: '57P01' });
      const fresh = await first.person('alice');
      const client = new pg.Client({ ...options, user: `g.${fresh.id}`, password: fresh.secret });
      await client.connect();
      await client.end();
    } finally {
      await second.close();
      await first.stop();
      await store.stop();
    }
  });
});

describe('a cleared statement that is cut off', () => {
  it('is cancelled upstream within a second, and recorded as cut off by the revocation', async () => {
    const alice = await anew('alice');
    // At once, so that the cancel may well overtake the statement, and after it has begun.
    for (const wait of [0, 0, 5, 50, 300]) {
      const job = await gateway.job(alice, { target: 'shop' });
      const { client } = await live(job);
      const mark = `${job.id}-${wait}`;
      const sleeping = expect(client.query(`select pg_sleep(20) /* ${mark} */`)).rejects.toBeDefined();
      if (wait > 0) await sleep(wait);
      await revoke({ kind: 'grant', id: job.id });
      await sleeping;
      const began = performance.now();
      const of = `application_name like 'sallyport:${job.id.slice(0, 8)}%'`;
      while ((await gateway.world.postgres.query(`select pid from pg_stat_activity where ${of}`)).length > 0) {
        expect(performance.now() - began).toBeLessThan(1_000);
        await sleep(20);
      }
    }
    await sleep(200);
    const folder = join(gateway.dataDirectory, 'evidence');
    const events: Record<string, unknown>[] = [];
    for await (const { event } of readAudit(folder, {})) events.push(event);
    const sleeps = events.filter(({ type, statement }) => {
      return type === 'operation.cleared' && String(statement).includes('pg_sleep');
    });
    expect(sleeps.length).toBeGreaterThanOrEqual(3);
    for (const { session, seq } of sleeps) {
      const about = events.filter((event) => event['session'] === session && (event['seq'] ?? seq) === seq);
      const done = about.find(({ type }) => type === 'operation.done' || type === 'operation.denied');
      expect(done).toMatchObject(done?.['type'] === 'operation.done' ? { error: '57P01', tag: null } : { seq });
      expect(about.at(-1)).toMatchObject({ type: 'session.end', cause: 'revoked' });
    }
  });
});
