import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../src/audit/reader.ts';
import type { AuditEvent } from '../src/core/evidence.ts';
import { Gateway, type Pass } from './testing/gateway.ts';

// A person, a job on their behalf, a helper of the job: rights shrink at each hop and end at once when a link is cut.

let gateway: Gateway;
let alice: Pass;
let job: Pass;
let helper: Pass;

const ORDERS = {
  target: 'shop',
  actions: ['select'],
  tables: { 'public.orders': ['id', 'total'], 'public.customers': '*' },
};

beforeAll(async () => {
  gateway = await Gateway.start();
  alice = await gateway.person('alice');
  job = await gateway.job(
    alice,
    { target: 'shop', actions: ['select'] },
    { delegable: 'true', max_depth: '2', purpose: 'nightly report' },
  );
  helper = await gateway.helper(job, ORDERS);
});
afterAll(() => gateway?.stop());

/** The same with another last character. */
function spoiled(secret: string): string {
  return secret.slice(0, -1) + (secret.endsWith('x') ? 'y' : 'x');
}

async function refused(client: pg.Client, text: string): Promise<string> {
  return await client.query(text).then(
    () => `permitted: ${text}`,
    (thrown: { code?: string; message: string }) => `${thrown.code} ${thrown.message}`,
  );
}

async function events(types: string[]): Promise<AuditEvent[]> {
  const seen: AuditEvent[] = [];
  for await (const { event } of readAudit(join(gateway.dataDirectory, 'evidence'), { types })) seen.push(event);
  return seen;
}

describe('a chain', () => {
  it('reaches what every link reaches, and nothing else', async () => {
    const client = await gateway.client(helper);
    expect((await client.query('select id, total from orders where id = 1')).rows).toEqual([{ id: 1, total: '6.25' }]);
    expect((await client.query('select email from customers where id = 1')).rows).toEqual([
      { email: 'c***@mail.example' },
    ]);
    expect(await refused(client, 'select status from orders')).toMatch(/^42501 .*helper.*orders\/status/);
    expect(await refused(client, 'select * from orders')).toMatch(/^42501/);
    expect(await refused(client, 'select * from staff')).toMatch(/^42501 .*staff/);
    expect(await refused(client, 'update orders set total = 1 where id = 1')).toMatch(/^42501/);
    expect(await refused(client, 'select count(*) from orders')).toBe('permitted: select count(*) from orders');
    await client.end();
  });

  it('does not reach another target, database or role', async () => {
    for (const database of ['lab', 'shop.postgres', 'shop.lab', 'nowhere']) {
      const client = new pg.Client(gateway.options(helper, database));
      await expect(client.connect()).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('cannot be widened, grafted or lengthened', async () => {
    const post = (form: Record<string, string>) =>
      gateway.post('/oauth/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: job.pass,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        actor: JSON.stringify({ name: 'wide', kind: 'tool' }),
        ...form,
      });
    const details = (detail: object) => JSON.stringify([{ type: 'sallyport', ...detail }]);
    for (const [form, error] of [
      [{ authorization_details: details({ target: 'lab' }) }, 'invalid_authorization_details'],
      [{ authorization_details: details({ target: 'shop', actions: ['delete'] }) }, 'invalid_authorization_details'],
      [{ authorization_details: details({ target: 'shop', bogus: 1 }) }, 'invalid_authorization_details'],
      [{ expires_in: '999999' }, 'invalid_authorization_details'],
      [{ max_depth: '7', delegable: 'true' }, 'invalid_authorization_details'],
      [{ act: '{}' }, 'invalid_request'],
      [{ subject_token: spoiled(job.pass) }, 'invalid_request'],
      [{ subject_token: helper.pass }, undefined],
    ] as const) {
      const { status, body } = await post(form);
      expect(status).toBeGreaterThanOrEqual(400);
      if (error !== undefined) expect(body['error']).toBe(error);
    }
  });

  it('ends a helper that may not delegate', async () => {
    await expect(gateway.helper(helper, undefined)).rejects.toThrow(/refused/);
  });

  it('counts uses over the whole tree, a login and a preamble costing none', async () => {
    const parent = await gateway.helper(job, ORDERS, { uses: '3', delegable: 'true', max_depth: '1' });
    const child = await gateway.helper(parent, ORDERS, { uses: '3' });
    const [one, two] = [await gateway.client(parent), await gateway.client(child)];
    await one.query('begin');
    await one.query("set statement_timeout = '5s'");
    await one.query('select id from orders where id = 1');
    await one.query('commit');
    await two.query('select id from orders where id = 1');
    await two.query({ text: 'select id from orders where id = $1', values: [1] });
    expect(await refused(one, 'select id from orders where id = 1')).toMatch(/^54000 .*uses/);
    expect(await refused(two, 'select id from orders where id = 2')).toMatch(/^54000 .*uses/);
    await Promise.all([one.end(), two.end()]);
  });

  it('can be bound to a single statement', async () => {
    const text = 'select total from orders where id = $1';
    const bound = await gateway.helper(job, {
      target: 'shop',
      actions: ['select'],
      statement: { kind: 'exact', text, parameters: ['5'] },
    });
    const client = await gateway.client(bound);
    expect((await client.query({ text, values: [5] })).rowCount).toBe(1);
    expect(await refused(client, 'select total from orders where id = 5')).toMatch(/^42501/);
    await expect(client.query({ text, values: [6] })).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });

  it('caps rows, and the transaction ends as the client believes', async () => {
    const capped = await gateway.helper(job, ORDERS, { rows: '10' });
    const client = await gateway.client(capped);
    expect((await client.query('select id from orders where id <= 10')).rowCount).toBe(10);
    expect(await refused(client, 'select id from orders')).toMatch(/10 rows/);
    await expect(client.query({ text: 'select id from orders where id > $1', values: [0] })).rejects.toThrow(/10 rows/);
    await client.query('begin');
    expect(await refused(client, 'select id from orders')).toMatch(/10 rows/);
    expect(await refused(client, 'select 1')).toMatch(/^25P02/);
    await client.query('rollback');
    await client.end();
  });

  it('opens no session after connect_by, and lets those open go on', async () => {
    const brief = await gateway.helper(job, ORDERS, { connect_within: '1' });
    const client = await gateway.client(brief);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await expect(gateway.client(brief)).rejects.toThrow(/could open sessions until/);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it('ends its live sessions when it expires', async () => {
    const brief = await gateway.helper(job, ORDERS, { expires_in: '2' });
    const client = new pg.Client(gateway.options(brief));
    const ended = new Promise<Error>((resolve) => client.on('error', resolve));
    await client.connect();
    await client.query('select 1');
    expect(await ended).toMatchObject({ code: '57P01' });
  });
});

const LITERAL = 'a-literal-of-77-characters';

describe('evidence', () => {
  it('names the whole chain, and holds no secret and no value in the clear', async () => {
    const asking = await gateway.client(alice);
    await asking.query(`select id from orders where status = '${LITERAL}'`);
    await asking.end();
    const [start] = (await events(['session.start'])).filter((event) => event['grant'] === helper.id);
    expect(start).toMatchObject({
      chain: expect.stringMatching(/alice@shop.example > .*\(attested\) > helper \(asserted\)/),
      path: [alice.id, job.id, helper.id],
      purpose: ['nightly report'],
    });
    const folder = join(gateway.dataDirectory, 'evidence');
    expect(existsSync(folder)).toBe(true);
    const { readdirSync } = await import('node:fs');
    const bytes = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.seg'))
      .map((name) => readFileSync(join(folder, name)).toString('latin1'))
      .join('');
    for (const pass of [alice, job, helper]) expect(bytes.includes(pass.secret)).toBe(false);
    expect(bytes.includes('shop-password-that-no-agent-sees')).toBe(false);
    expect(bytes.includes(LITERAL)).toBe(false); // what was asked and told is in the encrypted recording
  });
});

// Last, because it closes the door for this address.
describe('a login', () => {
  it.each([
    ['a wrong secret', () => ({ ...helper, secret: spoiled(helper.secret) })],
    ['a grant nobody has', () => ({ ...helper, id: '0000000000000000000000' })],
  ])('with %s fails like any other', async (_name, pass) => {
    await expect(gateway.client(pass())).rejects.toMatchObject({
      code: '28P01',
      message: expect.stringContaining('unknown, wrong, expired or revoked'),
    });
  });

  it('is slowed down when it fails too often', async () => {
    const wrong = { ...alice, secret: spoiled(alice.secret) };
    const codes = new Set<string>();
    for (let i = 0; i < 25; i++)
      codes.add(
        await gateway.client(wrong).then(
          () => 'in',
          (thrown: { code: string }) => thrown.code,
        ),
      );
    expect([...codes].sort()).toEqual(['28P01', '53300']);
  });
});
