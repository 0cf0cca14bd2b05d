import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYNC } from '../src/drivers/postgres/messages.ts';
import { writePlainBind } from '../src/wire/postgres/bind.ts';
import { writeExecute } from '../src/wire/postgres/execute.ts';
import { writeParse } from '../src/wire/postgres/parse.ts';
import { Gateway, type Pass } from './testing/gateway.ts';
import { RawClient } from './testing/raw-client.ts';

// A statement that is held waits inside a native session until people have answered; then it runs, once.

const POLICIES = `
@id("support-archives")
permit (principal in Group::"support", action in [Action::"ddl", Action::"truncate"], resource in Database::"shop/shop");
@id("support-approves-too")
permit (principal in Group::"support", action == Action::"gateway-approve", resource == Gateway::"sallyport");
@id("confirm-vacuum")
@approval("confirm")
forbid (principal is Agent, action == Action::"delete", resource in Table::"shop/shop/public/orders");
`;
const APPROVALS = `  hold_wait: 20
  rules:
    - { name: dba-oncall, ask: [dba, support], scopes: [session] }
    - { name: confirm, confirm: delegator }
`;

let gateway: Gateway;
let alice: Pass;
let bob: Pass;
let job: Pass;

beforeAll(async () => {
  gateway = await Gateway.start({ policies: { 'approvals.cedar': POLICIES }, approvals: APPROVALS });
  alice = await gateway.person('alice');
  bob = await gateway.person('bob');
  job = await gateway.job(alice, { target: 'shop' }, { delegable: 'true', max_depth: '2' });
  const direct = await gateway.direct();
  for (const name of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven']) {
    await direct.query(`create table held_${name} (n int); insert into held_${name} values (1)`);
  }
  await direct.end();
});
afterAll(() => gateway?.stop());

interface Request {
  readonly id: string;
  readonly state: string;
  readonly effect: { readonly statement: string };
  readonly you_may: readonly string[];
}

async function exists(name: string): Promise<boolean> {
  const [row] = await gateway.world.postgres.query(`select to_regclass('public.${name}') is not null as yes`, 'shop');
  return row?.['yes'] === true || row?.['yes'] === 't';
}

async function waiting(about: string): Promise<Request> {
  for (const end = Date.now() + 5_000; Date.now() < end; await sleep(10)) {
    const { body } = await gateway.ask('GET', '/v1/approvals', bob);
    const found = (body['requests'] as Request[]).find(({ effect }) => effect.statement.includes(about));
    if (found !== undefined) return found;
  }
  throw new Error(`nobody asked about ${about}`);
}

const answer = (id: string, by: Pass, verdict = 'approve', more: object = {}) =>
  gateway.ask('POST', `/v1/approvals/${id}/answers`, by, { verdict, ...more });

/** Notices as they come. */
function noticesOf(client: pg.Client): string[] {
  const told: string[] = [];
  client.on('notice', (notice) => told.push(notice.message ?? ''));
  return told;
}

/** What the target knows of the sessions of a pass: their state, and how many locks on tables they hold. */
async function upstream(pass: Pass): Promise<readonly { state: string; locks: number }[]> {
  const rows = await gateway.world.postgres.query(
    `select a.state, (select count(*)::int from pg_locks l where l.pid = a.pid and l.locktype = 'relation') as locks
     from pg_stat_activity a where a.application_name like 'sallyport:${pass.id.slice(0, 8)}%'`,
    'shop',
  );
  return rows.map((row) => ({ state: String(row['state']), locks: Number(row['locks']) }));
}

describe('a statement that is held', () => {
  it('tells the client, waits, and runs once it is approved', async () => {
    const client = await gateway.client(job);
    const told = noticesOf(client);
    const dropped = client.query('drop table held_one');
    const request = await waiting('held_one');
    expect(request.you_may).toEqual(['approve', 'deny']);
    expect(await exists('held_one')).toBe(true);
    expect(await upstream(job)).toEqual([{ state: 'idle', locks: 0 }]);
    const began = performance.now();
    expect(await answer(request.id, bob)).toMatchObject({ status: 200, body: { state: 'approved' } });
    expect((await dropped).command).toBe('DROP');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(told.join()).toContain(`sallyport approvals show ${request.id}`);
    expect(await exists('held_one')).toBe(false);
    const { body } = await gateway.ask('GET', `/v1/approvals/${request.id}`, bob);
    expect(body).toMatchObject({ state: 'used', uses: 1 });
    await client.end();
  });

  it('waits without a lock in the extended protocol too', async () => {
    const client = await gateway.client(job);
    const emptied = client.query({ name: 'empty', text: 'truncate held_two' });
    const request = await waiting('held_two');
    expect(await upstream(job)).toEqual([{ state: 'idle', locks: 0 }]);
    await answer(request.id, bob);
    expect((await emptied).command).toBe('TRUNCATE');
    // Approved once: the same prepared statement asks again.
    const again = client.query({ name: 'empty', text: 'truncate held_two' });
    const second = await waiting('held_two');
    expect(second.id).not.toBe(request.id);
    await answer(second.id, bob, 'deny', { reason: 'once is enough' });
    await expect(again).rejects.toMatchObject({ code: '42501', message: /denied request .*: once is enough/ });
    expect(await upstream(job)).toEqual([{ state: 'idle', locks: 0 }]);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it('fails at once inside a transaction, and passes there once it is approved', async () => {
    const client = await gateway.client(job);
    await client.query('begin');
    await expect(client.query('drop table held_three')).rejects.toMatchObject({ code: '42501', message: /request/ });
    await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' });
    await client.query('rollback');
    await answer((await waiting('held_three')).id, bob);
    await client.query('begin');
    await client.query('drop table held_three');
    await client.query('commit');
    expect(await exists('held_three')).toBe(false);
    await client.end();
  });

  it('fails at once in a pipeline that has run something, and takes that back', async () => {
    const client = await RawClient.open(gateway.running.ports.postgres);
    await client.login(`g.${job.id}`, job.secret, 'shop');
    client.seen.length = 0;
    client.send(
      writeParse({ statement: '', text: "update orders set status = 'odd' where id = 1", types: [] }),
      writePlainBind('', ''),
      writeExecute({ portal: '', rows: 0 }),
      writeParse({ statement: '', text: 'drop table held_ten', types: [] }),
      writePlainBind('', ''),
      writeExecute({ portal: '', rows: 0 }),
      SYNC,
    );
    const seen = await client.wait((all) => all.some(({ type }) => type === 'Z'));
    expect(seen.map(({ type }) => type).join('')).toBe('12C1EZ');
    const error = seen.find(({ type }) => type === 'E')?.body.toString('utf8') ?? '';
    expect(error).toMatch(/42501.*nothing can wait for it inside a transaction or pipeline/s);
    const rows = await gateway.world.postgres.query('select status from orders where id = 1', 'shop');
    expect(rows[0]?.['status']).not.toBe('odd');
    expect(await exists('held_ten')).toBe(true);
    client.socket.destroy();
  });

  it('shows that it waits to a client that sends on, and answers in order', async () => {
    const client = await gateway.client(job);
    const answers = Promise.all([
      client.query('drop table held_eleven').then(({ command }) => command),
      client.query('select 1 as one').then(({ rows }) => rows[0].one as number),
    ]);
    await answer((await waiting('held_eleven')).id, bob);
    expect(await answers).toEqual(['DROP', 1]);
    await client.end();
  });

  it('ends with the client: cancelled, or gone', async () => {
    const client = await gateway.client(job);
    const cancelled = client.query('drop table held_four').then(() => 'ran', thrownCode);
    const request = await waiting('held_four');
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    await cancel(processID, secretKey);
    expect(await cancelled).toBe('57014');
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);

    const left = client.query('drop table held_four').catch(() => 'gone');
    await sleep(300);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect(await left).toBe('gone');
    await vanished(job);
    // Nobody is there any more: an approval runs nothing.
    await answer(request.id, bob);
    await sleep(200);
    expect(await exists('held_four')).toBe(true);
  });

  it('runs once for two that wait for the same', async () => {
    const clients = await Promise.all([gateway.client(job), gateway.client(job)]);
    const both = clients.map((client) => client.query('truncate held_five').then(() => 'ran', thrownCode));
    const request = await waiting('held_five');
    await sleep(300);
    expect((await answer(request.id, bob)).status).toBe(200);
    expect((await Promise.all(both)).sort()).toEqual(['42501', 'ran']);
    await Promise.all(clients.map((client) => client.end()));
  });

  it('is cut by a revocation, and never runs', async () => {
    const doomed = await gateway.job(alice, { target: 'shop' });
    const client = await gateway.client(doomed);
    const dropped = client.query('drop table held_six').then(() => 'ran', thrownCode);
    const request = await waiting('held_six');
    await gateway.post('/oauth/revoke', { token: doomed.pass });
    expect(await dropped).toBe('57P01');
    await answer(request.id, bob);
    await sleep(200);
    expect(await exists('held_six')).toBe(true);
  });

  it('runs as often as it likes in a session it was approved for', async () => {
    const client = await gateway.client(job);
    const first = client.query('truncate held_seven');
    await answer((await waiting('held_seven')).id, bob, 'approve', { scope: 'session' });
    await first;
    await client.query('truncate held_seven');
    await client.end();
    const other = await gateway.client(job);
    const held = other.query('truncate held_seven').then(() => 'ran', thrownCode);
    await answer((await waiting('held_seven')).id, bob, 'deny');
    expect(await held).toBe('42501');
    await other.end();
  });
});

describe('answers', () => {
  it('come from nobody in the chain, from no agent, and once a person', async () => {
    const client = await gateway.client(job);
    const dropped = client.query('drop table held_eight').then(() => 'ran', String);
    const { id } = await waiting('held_eight');
    expect(await answer(id, alice)).toMatchObject({ status: 403, body: { detail: /nobody answers what they ask/ } });
    expect((await answer(id, job)).status).toBe(403);
    expect((await answer(id, await gateway.person('erin'))).status).toBe(403);
    expect((await answer(id, await gateway.person('carol'))).status).toBe(404);
    expect((await answer(id, bob, 'approve', { scope: 'fingerprint' })).status).toBe(403);
    const [one, two] = await Promise.all([answer(id, bob), answer(id, await gateway.person('bob'))]);
    expect([one.status, two.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await dropped).toBe('ran');
    expect((await answer(id, bob, 'deny')).status).toBe(409);
    await client.end();
  });

  it('of the person it is done for, where a rule lets them confirm', async () => {
    const client = await gateway.client(job);
    const removed = client.query('delete from orders where id = -1').then(() => 'ran', thrownCode);
    let found: Request | undefined;
    for (const end = Date.now() + 5_000; found === undefined && Date.now() < end; await sleep(20)) {
      const all = (await gateway.ask('GET', '/v1/approvals', alice)).body['requests'] as Request[];
      found = all.find(({ effect }) => effect.statement.includes('id = -1'));
    }
    expect(found?.you_may).toEqual(['approve', 'deny']);
    const estimated = async () => {
      const { body } = await gateway.ask('GET', `/v1/approvals/${found?.id ?? ''}`, alice);
      return (body['effect'] as { estimated_rows: number | null }).estimated_rows;
    };
    await expect.poll(estimated).toBeGreaterThanOrEqual(1);
    expect((await answer(found?.id ?? '', bob)).status).toBe(404);
    expect((await answer(found?.id ?? '', alice)).status).toBe(200);
    expect(await removed).toBe('ran');
    await client.end();
  });
});

describe('asking ahead', () => {
  it('is for exactly what is run then', async () => {
    const text = 'drop table held_nine';
    const made = await gateway.ask('POST', '/v1/approvals', job, { on: 'shop', sql: text, purpose: 'CHG-9' });
    expect(made).toMatchObject({ status: 201, body: { state: 'waiting', asked_by: { purpose: ['CHG-9'] } } });
    const id = String(made.body['id']);
    const polled = gateway.ask('GET', `/v1/approvals/${id}?wait=20s`, job);
    await answer(id, bob);
    expect((await polled).body).toMatchObject({ state: 'approved' });
    const client = await gateway.client(job);
    await client.query('begin');
    await expect(client.query(`${text} `)).rejects.toMatchObject({ code: '42501' });
    await client.query('rollback');
    await client.query('begin');
    await client.query(text);
    await client.query('commit');
    expect(await exists('held_nine')).toBe(false);
    await client.end();
    expect(await gateway.ask('POST', '/v1/approvals', job, { on: 'shop', sql: 'select 1' })).toMatchObject({
      status: 409,
    });
  });
});

function thrownCode(thrown: unknown): string {
  return (thrown as { code?: string }).code ?? String(thrown);
}

async function cancel(process: number, secret: number): Promise<void> {
  const bytes = Buffer.alloc(16);
  for (const [index, value] of [16, 80_877_102, process, secret].entries()) bytes.writeInt32BE(value | 0, index * 4);
  const raw = await RawClient.open(gateway.running.ports.postgres);
  raw.send(bytes);
  await raw.wait(() => false, 200);
}

async function vanished(pass: Pass): Promise<void> {
  for (const end = Date.now() + 5_000; Date.now() < end; await sleep(20)) {
    if ((await upstream(pass)).length === 0) return;
  }
  throw new Error('the session upstream is still there');
}
