import { beforeEach, describe, expect, it } from 'vitest';
import { answered } from '../approvals/request.ts';
import { aRule, asked } from '../approvals/testing/requests.ts';
import type { Grant } from '../core/grant.ts';
import { createApp } from './app.ts';
import { CI, childOf, FakeControl, grantOf, idOf, NOW, person } from './testing/fakes.ts';

let fake: FakeControl;
let local: boolean;
let app: ReturnType<typeof createApp>;

const dba = (name: string): Grant => grantOf(name, { principal: { ...person(name), groups: ['dba'] } });
const alice = grantOf('alice', { principal: { ...person('alice'), groups: ['dba'] } });
const job = childOf(alice, 'job', CI);

beforeEach(async () => {
  fake = new FakeControl();
  for (const name of ['bob', 'frida', 'greg']) fake.add(name, dba(name));
  for (const name of ['dave', 'erin', 'carol']) fake.add(name, grantOf(name, { principal: person(name) }));
  fake.add('alice', alice);
  fake.add('job', alice, job);
  fake.add('bobs-job', dba('bob'), childOf(dba('bob'), 'bjob', CI));
  fake.add('robot', grantOf('robot', { principal: { ...person('robot'), kind: 'workload', groups: ['dba'] } }));
  local = false;
  app = createApp({ ports: fake.ports(), isLocal: () => local, onFault: () => undefined });
});

const ID = idOf('r1');

/** What alice's job asks for. */
async function made(more: Parameters<typeof asked>[0] = {}): Promise<void> {
  const { asker } = asked();
  const principal = { id: alice.principal.id, name: 'alice' };
  await fake.requests.open(
    { digest: 'd1', alike: undefined, around: 'a1', session: 's1' },
    asked({ id: ID, asker: { ...asker, principal, grant: job.id }, ...more }),
  );
}

async function ask(method: 'GET' | 'POST', url: string, as: string | undefined, payload?: object) {
  const headers = as === undefined ? {} : { authorization: `Bearer ${as}` };
  const response = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  return { status: response.statusCode, json: JSON.parse(response.body) };
}

const answer = (as: string | undefined, verdict = 'approve', more: object = {}) =>
  ask('POST', `/v1/approvals/${ID}/answers`, as, { verdict, ...more });

describe('a request', () => {
  it.each([
    ['one who is asked', 'bob', 200],
    ['the agent that asks', 'job', 200],
    ['the person it is done for', 'alice', 200],
    ['an administrator', 'dave', 200],
    ['an auditor', 'erin', 200],
    ['somebody else', 'carol', 404],
    ['an agent of one who is asked', 'bobs-job', 404],
  ])('is shown to %s', async (_who, as, status) => {
    await made();
    expect((await ask('GET', `/v1/approvals/${ID}`, as)).status).toBe(status);
    const { json } = await ask('GET', '/v1/approvals', as);
    expect(json.requests).toHaveLength(status === 200 ? 1 : 0);
  });

  it.each([
    ['somebody asked whom policy lets answer', 'bob', 200],
    ['somebody asked whom policy does not let answer', 'greg', 403],
    ['the asker', 'alice', 403],
    ['an agent', 'bobs-job', 403],
    ['a workload', 'robot', 403],
    ['an administrator who is not asked', 'dave', 403],
    ['somebody who does not see it', 'carol', 404],
  ])('is answered by %s', async (_who, as, status) => {
    await made();
    expect((await answer(as)).status).toBe(status);
    expect((await fake.requests.find(ID))?.state).toBe(status === 200 ? 'approved' : 'waiting');
    const answers = fake.events.filter(({ type }) => type === 'approval.answered');
    expect(answers).toHaveLength(status === 200 ? 1 : 0);
  });

  it('is not answered over the local socket, which is nobody', async () => {
    await made();
    local = true;
    expect(await answer(undefined)).toMatchObject({ status: 403, json: { hint: expect.stringContaining('login') } });
    expect((await ask('GET', '/v1/approvals', undefined)).json.requests).toHaveLength(1);
  });

  it('is written down before it counts: without a record there is no answer', async () => {
    await made();
    fake.unwritable = true;
    expect((await answer('bob')).status).toBe(503);
    expect((await fake.requests.find(ID))?.state).toBe('waiting');
  });

  it('is waited for', async () => {
    await made();
    const polled = ask('GET', `/v1/approvals/${ID}?wait=5s`, 'job');
    await answer('bob', 'deny', { reason: 'no' });
    expect(await polled).toMatchObject({ json: { state: 'denied', answers: [{ reason: 'no', by: { name: 'bob' } }] } });
  });

  it('is waited for no longer than was asked', async () => {
    await made();
    const began = performance.now();
    expect(await ask('GET', `/v1/approvals/${ID}?wait=1s`, 'job')).toMatchObject({ json: { state: 'waiting' } });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it('is seen by whoever watches the list', async () => {
    const first = await ask('GET', '/v1/approvals', 'bob');
    expect(first.json.requests).toEqual([]);
    const watched = ask('GET', `/v1/approvals?wait=5s&after=${first.json.mark}`, 'bob');
    await made();
    expect((await watched).json.requests).toMatchObject([{ id: ID, you_may: ['approve', 'deny'], yours: false }]);
  });

  it.each([
    ['the agent', 'job', 200],
    ['the person it is done for', 'alice', 200],
    ['an administrator', 'dave', 200],
    ['one who is asked', 'bob', 403],
    ['somebody else', 'carol', 404],
  ])('is withdrawn by %s', async (_who, as, status) => {
    await made();
    expect((await ask('POST', `/v1/approvals/${ID}/withdraw`, as, {})).status).toBe(status);
    expect((await fake.requests.find(ID))?.state).toBe(status === 200 ? 'withdrawn' : 'waiting');
  });
});

it('has a page that says how to answer, and nothing else', async () => {
  await made();
  const page = await app.inject({ method: 'GET', url: `/approvals/${ID}` });
  expect(page.headers['content-type']).toContain('text/html');
  expect(page.body).toContain(`sallyport approvals approve ${ID}`);
  expect(page.body).not.toMatch(/DROP|alice/);
  expect((await app.inject({ method: 'GET', url: '/approvals/<script>' })).statusCode).toBe(400);
});

describe('confirming', () => {
  const rules = [aRule({ steps: [], confirm: 'delegator' })];

  it('needs a fresh login, and no right to approve', async () => {
    fake.now = NOW + 11 * 60_000;
    await made({ rules });
    const stale = { status: 403, json: { detail: expect.stringContaining('ten minutes') } };
    expect(await answer('alice')).toMatchObject(stale);
    fake.add('alice', { ...alice, createdAt: NOW + 10 * 60_000 });
    expect((await answer('alice')).status).toBe(200);
  });
});

describe('breaking glass', () => {
  const rules = [aRule({ breakGlass: [alice.principal.id] })];

  it('is loud, and looked at by somebody else', async () => {
    await made({ rules });
    expect((await answer('bob', 'break-glass', { reason: 'x' })).status).toBe(403);
    expect((await answer('alice', 'break-glass')).status).toBe(403);
    expect((await answer('alice', 'break-glass', { reason: 'down' })).json).toMatchObject({ review_due: true });
    expect(fake.events.map(({ type }) => type)).toEqual(['approval.answered', 'alarm']);
    expect((await ask('GET', '/v1/approvals?review=due', 'erin')).json.requests).toHaveLength(1);
    const review = (as: string) => ask('POST', `/v1/approvals/${ID}/review`, as, { note: 'seen' });
    expect((await review('alice')).status).toBe(403);
    expect((await review('bob')).status).toBe(403);
    expect((await review('erin')).status).toBe(200);
    expect((await review('erin')).status).toBe(409);
  });
});

describe('asking ahead', () => {
  it.each([
    ['nothing is held', { effect: 'permit', policies: [], obligations: [] }, 409],
    ['it is denied', { effect: 'deny', policies: [], reason: 'no-permit', message: 'no' }, 403],
  ] as const)('is refused where %s', async (_name, decision, status) => {
    fake.ahead = { decision };
    expect((await ask('POST', '/v1/approvals', 'job', { on: 'shop', sql: 'select 1' })).status).toBe(status);
  });

  it('makes a request, and is written down', async () => {
    await made();
    const request = await fake.requests.change(ID, (before, now) =>
      answered(
        before,
        { by: { id: 'x|y', name: 'y', groups: ['dba'] }, verdict: 'approve', reason: '', scope: 'once' },
        now,
      ),
    );
    fake.ahead = { made: request };
    const { status, json } = await ask('POST', '/v1/approvals', 'job', { on: 'shop', sql: 'drop table x' });
    expect([status, json.id]).toEqual([201, ID]);
    expect(fake.events.map(({ type }) => type)).toEqual(['approval.asked']);
    local = true;
    expect((await ask('POST', '/v1/approvals', undefined, { on: 'shop', sql: 'drop table x' })).status).toBe(403);
  });
});
