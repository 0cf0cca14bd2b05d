import { beforeEach, describe, expect, it } from 'vitest';
import type { ListedSession } from '../core/directory.ts';
import { createApp } from './app.ts';
import { CI, childOf, FakeControl, grantOf, idOf, NOW, person } from './testing/fakes.ts';

let fake: FakeControl;
let app: ReturnType<typeof createApp>;

const dave = grantOf('dave', { principal: person('dave') });
const alice = grantOf('alice', { principal: person('alice', ['dba']), login: { provider: 'corp', session: 'sid-1' } });
const carol = grantOf('carol', { principal: person('carol') });
const job = childOf(alice, 'job', CI);
const ALICE = alice.principal.id;

function session(word: string, grant: string, ...chainIds: string[]): ListedSession {
  const place = { node: 'gw-1', worker: 0, target: 'shop', database: 'shop', role: 'app', client: 'psql', address: '' };
  const open = { endedAt: undefined, cause: undefined, totals: undefined };
  return { id: idOf(word), grant, chainIds, chain: 'alice', detail: null, startedAt: NOW, ...place, ...open };
}

beforeEach(() => {
  fake = new FakeControl();
  fake.add('dave', dave);
  fake.add('alice', alice);
  fake.add('carol', carol);
  fake.add('job', alice, job);
  fake.sessions = [session('s1', job.id, alice.id, job.id, ALICE, CI.id)];
  app = createApp({ ports: fake.ports(), isLocal: () => false, onFault: () => {} });
});

async function ask(method: 'GET' | 'POST', url: string, as: string, payload?: object) {
  const headers = { authorization: `Bearer ${as}` };
  const response = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  return { status: response.statusCode, json: JSON.parse(response.body) };
}

const revoke = (as: string, body: object) => ask('POST', '/v1/revocations', as, body);
const lift = (as: string, body: object) => ask('POST', '/v1/revocations/lift', as, body);

describe('an administrator', () => {
  it.each([
    ['a person', { kind: 'principal', id: ALICE }],
    ['an agent', { kind: 'agent', id: CI.id }],
    ['a login', { kind: 'login', id: 'corp|sid-1', unseen: true }],
    ['a target', { kind: 'target', id: 'shop' }],
  ])('keeps %s out until it is lifted, and both are in the audit log', async (_name, body) => {
    const made = await revoke('dave', { ...body, reason: 'incident' });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ kind: body.kind, id: body.id, lasting: true, lifted: null, sessions: 1 });
    const [kept] = (await ask('GET', '/v1/revocations', 'dave')).json.revocations;
    expect(kept).toMatchObject({ kind: body.kind, id: body.id, by: dave.principal.id, reason: 'incident' });

    const { kind, id } = body;
    const lifted = await lift('dave', { kind, id, reason: 'over' });
    expect(lifted.status).toBe(200);
    expect(lifted.json).toMatchObject({ lasting: false, lifted: { by: dave.principal.id, reason: 'over' } });
    expect((await ask('GET', '/v1/revocations', 'dave')).json.revocations).toEqual([]);
    expect((await ask('GET', '/v1/revocations?all=true', 'dave')).json.revocations).toHaveLength(1);
    expect(fake.events.map(({ type, subject, reason, lasting }) => [type, subject, reason, lasting])).toEqual([
      ['grant.revoked', id, 'incident', true],
      ['revocation.lifted', id, 'over', undefined],
    ]);
  });

  it('does not keep themselves out by accident', async () => {
    const own = { kind: 'principal', id: dave.principal.id };
    expect((await revoke('dave', own)).json).toMatchObject({ lasting: false });
    expect((await revoke('dave', { ...own, lasting: true })).json).toMatchObject({ lasting: true });
  });

  it('ends what there is and no more, where that is asked for', async () => {
    const { json } = await revoke('dave', { kind: 'principal', id: ALICE, lasting: false });
    expect(json).toMatchObject({ lasting: false, lifted: null });
  });

  it('ends a membership with the sessions that came with it', async () => {
    const other = grantOf('other', { principal: person('alice', ['support']) });
    fake.add('other', other);
    fake.sessions.push(session('s2', other.id, other.id, ALICE));
    const { status, json } = await revoke('dave', { kind: 'membership', id: ALICE, group: 'dba', unseen: true });
    expect(status).toBe(201);
    expect(json).toMatchObject({ kind: 'membership', id: ALICE, group: 'dba', sessions: 1 });
    expect(fake.events.at(-1)).toMatchObject({
      type: 'grant.revoked',
      kind: 'membership',
      subject: ALICE,
      group: 'dba',
    });
  });

  it('ends a session as killing it does', async () => {
    expect((await revoke('dave', { kind: 'session', id: idOf('s1'), reason: 'left open' })).status).toBe(201);
    expect(fake.events.at(-1)).toMatchObject({ type: 'session.killed', session: idOf('s1'), reason: 'left open' });
  });

  it('is told of a lift that cannot be recorded, and then there is none', async () => {
    await revoke('dave', { kind: 'principal', id: ALICE });
    fake.unwritable = true;
    expect((await lift('dave', { kind: 'principal', id: ALICE })).status).toBe(503);
    expect(fake.revoked.get(ALICE)?.lifted).toBeUndefined();
  });

  it.each([
    ['of an unknown person', { kind: 'principal', id: 'https://id.example|nobody' }, 404],
    ['of an unknown agent', { kind: 'agent', id: 'nobody' }, 404],
    ['of an unknown target', { kind: 'target', id: 'nowhere' }, 404],
    ['of an unknown grant', { kind: 'grant', id: idOf('nothing') }, 404],
    ['of an unknown grant, whatever is said', { kind: 'grant', id: idOf('nothing'), unseen: true }, 404],
    ['of an unknown session', { kind: 'session', id: idOf('nothing') }, 404],
    ['of a kind that is none', { kind: 'planet', id: 'x' }, 400],
    ['of nothing', { kind: 'principal', id: '' }, 400],
    ['with a NUL', { kind: 'principal', id: 'a\0' }, 400],
    ['of a membership in nothing', { kind: 'membership', id: ALICE }, 400],
    ['of a person in a group', { kind: 'principal', id: ALICE, group: 'dba' }, 400],
    ['with a field too many', { kind: 'principal', id: ALICE, forever: true }, 400],
  ])('is refused a revocation %s', async (_name, body, status) => {
    const answer = await revoke('dave', body);
    expect(answer.status).toBe(status);
    expect(fake.revoked.size).toBe(0);
    expect(fake.events).toEqual([]);
  });

  it('may revoke what was never seen, when told so', async () => {
    expect((await revoke('dave', { kind: 'agent', id: 'stolen', unseen: true })).status).toBe(201);
  });

  it.each([
    ['was never revoked', { kind: 'principal', id: ALICE }, 404],
    ['is a grant', { kind: 'grant', id: alice.id }, 409],
    ['is a session', { kind: 'session', id: idOf('s1') }, 409],
    ['is a membership', { kind: 'membership', id: ALICE }, 409],
  ])('is refused a lift of what %s', async (_name, body, status) => {
    await revoke('dave', { kind: 'grant', id: alice.id });
    expect((await lift('dave', body)).status).toBe(status);
  });
});

describe('somebody else', () => {
  it('may end all of their own, and log in again', async () => {
    const { status, json } = await revoke('alice', { kind: 'principal', id: ALICE, reason: 'lost laptop' });
    expect(status).toBe(201);
    expect(json).toMatchObject({ lasting: false, by: ALICE, sessions: 1 });
    expect((await revoke('alice', { kind: 'login', id: 'corp|sid-1', unseen: true })).json).toMatchObject({
      lasting: false,
    });
    const own = (await ask('GET', '/v1/revocations?all=true', 'alice')).json.revocations;
    expect(own.map((one: { kind: string }) => one.kind)).toEqual(['principal']);
  });

  it('may end their grants and sessions, which stay ended', async () => {
    expect((await revoke('alice', { kind: 'grant', id: job.id })).json).toMatchObject({ lasting: true });
    expect((await revoke('alice', { kind: 'session', id: idOf('s1') })).status).toBe(201);
  });

  it.each([
    ['themselves for good', 'alice', { kind: 'principal', id: ALICE, lasting: true }, 403],
    ['another person', 'carol', { kind: 'principal', id: ALICE }, 403],
    ['another person’s membership', 'carol', { kind: 'membership', id: ALICE, group: 'dba' }, 403],
    ['an agent', 'alice', { kind: 'agent', id: CI.id }, 403],
    ['a target', 'alice', { kind: 'target', id: 'shop' }, 403],
    ['another person’s login', 'carol', { kind: 'login', id: 'corp|sid-1' }, 403],
    ['another person’s grant', 'carol', { kind: 'grant', id: alice.id }, 404],
    ['another person’s session', 'carol', { kind: 'session', id: idOf('s1') }, 404],
    ['whom they act for', 'job', { kind: 'principal', id: ALICE }, 403],
    ['the grant above their own', 'job', { kind: 'grant', id: alice.id }, 404],
  ])('may not revoke %s', async (_name, as, body, status) => {
    expect((await revoke(as, body)).status).toBe(status);
    expect(fake.revoked.size).toBe(0);
  });

  it('may lift nothing, and see nothing but what is about them', async () => {
    await revoke('dave', { kind: 'principal', id: ALICE });
    await revoke('dave', { kind: 'target', id: 'shop' });
    expect((await lift('alice', { kind: 'principal', id: ALICE })).status).toBe(403);
    expect((await ask('GET', '/v1/revocations', 'carol')).json.revocations).toEqual([]);
    const own = (await ask('GET', '/v1/revocations', 'alice')).json.revocations;
    expect(own.map((one: { id: string }) => one.id)).toEqual([ALICE]);
    expect((await ask('GET', '/v1/revocations', 'job')).status).toBe(403);
  });
});
