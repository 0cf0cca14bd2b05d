import { beforeEach, describe, expect, it } from 'vitest';
import type { BypassState } from '../catalog/bypass/watch.ts';
import type { ListedSession } from '../core/directory.ts';
import type { AuditEvent } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';
import { createApp } from './app.ts';
import { CI, childOf, FakeControl, grantOf, idOf, NOW, person } from './testing/fakes.ts';

let fake: FakeControl;
let local: boolean;
let faults: string[];
let app: ReturnType<typeof createApp>;

const dave = grantOf('dave', { principal: person('dave') });
const erin = grantOf('erin', { principal: person('erin') });
const alice = grantOf('alice');
const carol = grantOf('carol', { principal: person('carol') });
const job = childOf(alice, 'job', CI);

const session: ListedSession = {
  id: idOf('s1'),
  node: 'gw-1',
  worker: 0,
  target: 'shop',
  database: 'shop',
  role: 'app',
  grant: job.id,
  chainIds: [alice.id, job.id, alice.principal.id, CI.id],
  chain: 'alice > deploy (attested)',
  detail: null,
  startedAt: NOW,
  client: 'psql',
  address: '10.0.0.1',
  endedAt: undefined,
  cause: undefined,
  totals: undefined,
};

beforeEach(() => {
  fake = new FakeControl();
  fake.add('dave', dave);
  fake.add('erin', erin);
  fake.add('alice', alice);
  fake.add('carol', carol);
  fake.add('job', alice, job);
  fake.add('daves-job', dave, childOf(dave, 'djob', CI));
  fake.add('narrowed', dave, childOf(dave, 'dnarrow', undefined, { scopes: [{ target: 'shop' }] }));
  fake.sessions = [session];
  local = false;
  faults = [];
  app = createApp({ ports: fake.ports(), isLocal: () => local, onFault: (fault) => faults.push(fault.code) });
});

async function ask(method: 'GET' | 'POST', url: string, as: string | undefined, payload?: object) {
  const headers = as === undefined ? {} : { authorization: `Bearer ${as}` };
  const response = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  const type = response.headers['content-type'] ?? '';
  return {
    ...response,
    status: response.statusCode,
    json: String(type).includes('json') ? parse(response.body) : {},
    body: response.body,
  };
}

/** One JSON value, or one for each line. */
function parse(body: string) {
  try {
    return JSON.parse(body);
  } catch {
    return body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}

const EVERYTHING: ['GET' | 'POST', string, object?][] = [
  ['GET', '/v1/whoami'],
  ['GET', '/v1/targets'],
  ['POST', '/v1/targets/shop/test'],
  ['POST', '/v1/targets/shop/discover', {}],
  ['POST', '/v1/targets/seal', { name: 'x', value: 'y' }],
  ['GET', '/v1/grants'],
  ['POST', `/v1/grants/${alice.id}/revoke`, {}],
  ['GET', '/v1/sessions'],
  ['POST', `/v1/sessions/${session.id}/kill`, {}],
  ['GET', '/v1/revocations'],
  ['POST', '/v1/revocations', { kind: 'agent', id: CI.id }],
  ['GET', `/v1/sessions/${session.id}/recording`],
  ['GET', '/v1/audit'],
  ['POST', '/v1/explain', { on: 'shop', sql: 'select 1' }],
];

describe('every route', () => {
  it.each(EVERYTHING)('%s %s is closed without a pass, and with a wrong one', async (method, url, payload) => {
    for (const as of [undefined, 'wrong', 'a b']) {
      const answer = await ask(method, url, as, payload);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
      expect(answer.body).not.toContain('inner detail');
    }
    expect(fake.events).toEqual([]);
  });

  it.each(EVERYTHING)('%s %s is open on the local socket', async (method, url, payload) => {
    local = true;
    const as = url === '/v1/explain' ? { as: { grant: alice.id } } : {};
    expect((await ask(method, url, undefined, payload && { ...payload, ...as })).status).toBeLessThan(300);
  });

  it.each(EVERYTHING)(
    '%s %s on the local socket is what the pass is, when one is shown',
    async (method, url, payload) => {
      local = true;
      expect((await ask(method, url, 'wrong', payload)).status).toBe(401);
    },
  );

  it('answers a problem with its request id and nothing of the inside', async () => {
    local = true;
    fake.unwritable = true;
    const answer = await ask('POST', '/v1/targets/seal', undefined, { name: 'x', value: 'y' });
    expect(answer.status).toBe(503);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json).toMatchObject({ status: 503, code: 'EVIDENCE_UNWRITABLE' });
    expect(answer.json.request).toBe(answer.headers['x-request-id']);
    expect(answer.body).not.toContain('/var/secret');
    expect(faults).toEqual(['EVIDENCE_UNWRITABLE']);
    expect([...fake.sealed]).toEqual([]);
    expect((await ask('POST', '/v1/targets/shop/discover', undefined, {})).status).toBe(503);
    expect(fake.discoveries).toEqual([]);
  });

  it.each([{ sample: 10_001 }, { sample: -1 }, { tables: 'customers' }, { tables: 'a.b.c' }, { rows: 5 }])(
    'takes no %j for a discovery',
    async (wish) => {
      local = true;
      expect((await ask('POST', '/v1/targets/shop/discover', undefined, wish)).status).toBe(400);
      expect(fake.discoveries).toEqual([]);
      expect(fake.events).toEqual([]);
    },
  );

  it('forbids caching and guessing of types', async () => {
    const answer = await ask('GET', '/nothing', undefined);
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  it.each([
    ['a body that is not JSON', '/v1/explain', '{'],
    ['a key that is not known', '/v1/explain', '{"on":"shop","sql":"x","role2":"y"}'],
    ['a value of another type', '/v1/explain', '{"on":"shop","sql":["x"]}'],
    ['an id that is none', '/v1/grants/..%2f..%2fetc/revoke', '{}'],
  ])('refuses %s and names the place', async (_name, url, payload) => {
    const headers = { authorization: 'Bearer alice', 'content-type': 'application/json' };
    const answer = await app.inject({ method: 'POST', url, headers, payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'PROTOCOL_MALFORMED' });
  });

  it('slows down an address that asks too much, and only that one', async () => {
    const from = (remoteAddress: string) => app.inject({ method: 'GET', url: '/v1/login', remoteAddress });
    for (let i = 0; i < 300; i++) await from('10.0.0.1');
    expect((await from('10.0.0.1')).statusCode).toBe(429);
    expect((await from('10.0.0.2')).statusCode).toBe(200);
    fake.now += 10_000;
    expect((await from('10.0.0.1')).statusCode).toBe(200);
  });

  it('is closed to a pass from an address its sources do not cover', async () => {
    fake.add('tied', grantOf('tied', { caveats: { sources: ['10.0.0.0/8'] } }));
    const from = async (remoteAddress: string) => {
      const headers = { authorization: 'Bearer tied' };
      return (await app.inject({ method: 'GET', url: '/v1/whoami', remoteAddress, headers })).statusCode;
    };
    expect(await from('10.1.2.3')).toBe(200);
    expect(await from('::ffff:10.1.2.3')).toBe(200);
    expect(await from('192.0.2.1')).toBe(403);
  });
});

describe('rights over the gateway', () => {
  const ADMIN: [string, 'GET' | 'POST', string, object?][] = [
    ['test a target', 'POST', '/v1/targets/shop/test'],
    ['look for what to label', 'POST', '/v1/targets/shop/discover', { sample: 10 }],
    ['seal a secret', 'POST', '/v1/targets/seal', { name: 'x', value: 'y' }],
  ];
  const AUDIT: [string, 'GET' | 'POST', string, object?][] = [
    ['read the audit log', 'GET', '/v1/audit'],
    ['see a recording', 'GET', `/v1/sessions/${session.id}/recording`],
    ['explain for others', 'POST', '/v1/explain', { as: { principal: 'x', groups: [] }, on: 'shop', sql: 'x' }],
  ];

  it.each(ADMIN)('let an administrator %s, and nobody else', async (_name, method, url, payload) => {
    expect((await ask(method, url, 'dave', payload)).status).toBeLessThan(300);
    for (const as of ['alice', 'erin', 'job', 'daves-job', 'narrowed']) {
      expect((await ask(method, url, as, payload)).status, as).toBe(403);
    }
  });

  it.each(AUDIT)('let an auditor %s, and no mere user', async (_name, method, url, payload) => {
    expect((await ask(method, url, 'erin', payload)).status).toBeLessThan(300);
    for (const as of ['alice', 'job', 'daves-job', 'narrowed']) {
      expect((await ask(method, url, as, payload)).status, as).toBe(403);
    }
  });

  it('do not let an administrator see recordings', async () => {
    expect((await ask('GET', `/v1/sessions/${session.id}/recording`, 'dave')).status).toBe(403);
  });
});

describe('grants', () => {
  const listed = async (as: string): Promise<string[]> =>
    (await ask('GET', '/v1/grants', as)).json.grants.map((grant: { id: string }) => grant.id).sort();

  it('show a person their own tree, an agent what is below it, an administrator all', async () => {
    expect(await listed('alice')).toEqual([alice.id, job.id].sort());
    expect(await listed('job')).toEqual([job.id]);
    expect(await listed('carol')).toEqual([carol.id]);
    expect((await listed('dave')).length).toBe(fake.chains.size);
    expect((await listed('erin')).length).toBe(fake.chains.size);
  });

  it.each([
    ['alice', alice.id, 200],
    ['alice', job.id, 200],
    ['job', job.id, 200],
    ['dave', alice.id, 200],
    ['job', alice.id, 404],
    ['carol', alice.id, 404],
    ['erin', alice.id, 404],
    ['daves-job', alice.id, 404],
    ['narrowed', dave.id, 404],
    ['alice', idOf('nothing'), 404],
  ])('are revoked by %s (%s): %i', async (as, id, status) => {
    const answer = await ask('POST', `/v1/grants/${id}/revoke`, as, { reason: 'done' });
    expect(answer.status).toBe(status);
    expect(fake.revoked.has(id)).toBe(status === 200);
    expect(fake.events.map((event) => event.type)).toEqual(status === 200 ? ['grant.revoked'] : []);
  });
});

describe('sessions', () => {
  it('are listed to whoever stands in their chain, and to administrators and auditors', async () => {
    for (const [as, count] of [
      ['alice', 1],
      ['job', 1],
      ['carol', 0],
      ['dave', 1],
      ['erin', 1],
      ['daves-job', 0],
    ] as const) {
      expect((await ask('GET', '/v1/sessions', as)).json.sessions.length, as).toBe(count);
    }
  });

  it('are killed by their own people and administrators only, and it is written down', async () => {
    for (const as of ['carol', 'erin', 'daves-job']) {
      expect((await ask('POST', `/v1/sessions/${session.id}/kill`, as, {})).status, as).toBe(404);
    }
    expect(fake.revoked.size).toBe(0);
    expect((await ask('POST', `/v1/sessions/${session.id}/kill`, 'alice', { reason: 'mine' })).status).toBe(200);
    expect(fake.revoked.get(session.id)).toMatchObject({ subject: { kind: 'session' }, by: alice.principal.id });
    expect(fake.events).toMatchObject([{ type: 'session.killed', session: session.id, reason: 'mine' }]);
  });

  it('are replayed entry by entry, and that somebody looked is evidence first', async () => {
    const text = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
    fake.entries = [
      { session: session.id, target: 'shop', kind: 'asked', sequence: 1, at: NOW, body: text({ text: 'select 1' }) },
      {
        session: session.id,
        target: 'shop',
        kind: 'frames',
        sequence: 1,
        at: NOW + 1,
        body: new Uint8Array([1, 2, 255]),
      },
    ];
    const answer = await ask('GET', `/v1/sessions/${session.id}/recording`, 'erin');
    expect(answer.json).toMatchObject([
      { session: { id: session.id } },
      { kind: 'asked', sequence: 1, body: { text: 'select 1' } },
      { kind: 'frames', sequence: 1, frames: 'AQL/' },
    ]);
    expect(fake.events).toMatchObject([{ type: 'recording.viewed', session: session.id, by: erin.principal.id }]);

    fake.unwritable = true;
    expect((await ask('GET', `/v1/sessions/${session.id}/recording`, 'erin')).status).toBe(503);
  });

  it('say so when a recording breaks off', async () => {
    fake.entries = [
      { session: idOf('other'), target: 'shop', kind: 'asked', sequence: 1, at: NOW, body: new Uint8Array() },
    ];
    const answer = await ask('GET', `/v1/sessions/${session.id}/recording`, 'erin');
    expect(answer.json.at(-1)).toMatchObject({ problem: { code: 'EVIDENCE_BROKEN' } });
    expect(answer.body).not.toContain('inner detail');
  });
});

describe('targets', () => {
  it('are those one may connect to, without what only administrators need', async () => {
    const seen = (await ask('GET', '/v1/targets', 'alice')).json;
    expect(seen.targets).toEqual([
      {
        name: 'shop',
        protocol: 'postgres',
        database: 'shop',
        databases: ['shop'],
        roles: ['app'],
        labels: [],
        mode: 'enforce',
      },
    ]);
    expect((await ask('GET', '/v1/targets', 'dave')).body).toContain('db.example');
    expect((await ask('GET', '/v1/targets', 'dave')).body).not.toContain('SECRET');
  });

  it('are hidden from a pass that does not reach them', async () => {
    fake.add('elsewhere', alice, childOf(alice, 'elsewhere', CI, { scopes: [{ target: 'other' }] }));
    expect((await ask('GET', '/v1/targets', 'elsewhere')).json.targets).toEqual([]);
  });
});

describe('explain', () => {
  it('is for oneself, for one’s own passes, and for others only with a right', async () => {
    const body = { on: 'shop.shop', sql: 'select 1' };
    expect((await ask('POST', '/v1/explain', 'alice', body)).status).toBe(200);
    expect(fake.explained.at(-1)).toMatchObject({
      chain: { grants: [alice] },
      target: 'shop',
      database: 'shop',
      role: 'app',
    });
    expect((await ask('POST', '/v1/explain', 'alice', { ...body, as: { grant: job.id } })).status).toBe(200);
    expect((await ask('POST', '/v1/explain', 'carol', { ...body, as: { grant: job.id } })).status).toBe(403);
    expect((await ask('POST', '/v1/explain', 'dave', { ...body, as: { principal: 'alice' } })).status).toBe(200);
    expect(fake.explained.at(-1)?.chain.grants[0].principal.id).toBe(alice.principal.id);
    expect((await ask('POST', '/v1/explain', 'dave', { ...body, as: { principal: 'nobody' } })).status).toBe(404);
    expect((await ask('POST', '/v1/explain', 'alice', { ...body, on: 'hidden' })).status).toBe(404);
    expect((await ask('POST', '/v1/explain', 'narrowed', { ...body, on: 'hidden' })).status).toBe(404);
    expect((await ask('POST', '/v1/explain', 'dave', { ...body, on: 'hidden' })).status).toBe(200);
    expect((await ask('POST', '/v1/explain', 'dave', { ...body, on: 'nowhere' })).status).toBe(404);
    expect((await ask('POST', '/v1/explain', 'dave', { ...body, on: 'shop.other' })).status).toBe(404);
  });
});

describe('the audit log', () => {
  it('is read with a filter', async () => {
    fake.archived = [{ v: 1, type: 'node.start', at: 'x' }];
    const answer = await ask('GET', '/v1/audit?last=5&type=node.start,alarm&since=2026-01-01T00:00:00Z', 'erin');
    expect(answer.json).toEqual(fake.archived[0]);
    expect(fake.asked).toEqual([
      { last: 5, follow: false, types: ['node.start', 'alarm'], session: undefined, since: Date.parse('2026-01-01') },
    ]);
    expect((await ask('GET', '/v1/audit?since=yesterday', 'erin')).status).toBe(400);
  });

  it('stops flowing to whoever loses the right, or the pass, to read it', async () => {
    fake.follow = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    const following = ask('GET', '/v1/audit?follow=true', 'erin');
    setTimeout(() => {
      fake.auditors = [];
    }, 100);
    expect((await following).json).toMatchObject({ problem: { code: 'no-permit' } });

    fake.auditors = ['erin'];
    const expiring = ask('GET', '/v1/audit?follow=true', 'erin');
    setTimeout(() => {
      fake.now += 3_600_000;
    }, 100);
    expect((await expiring).json).toMatchObject({ problem: { code: 'LOGIN_FAILED' } });
  });
});

describe('the report of a target', () => {
  const denied: AuditEvent = {
    v: 1,
    type: 'operation.denied',
    at: new Date(NOW - 1000).toISOString(),
    session: idOf('s1'),
    principal: 'p',
    target: 'shop',
    seq: 1,
    policies: ['bounded'],
    reason: 'forbidden',
  };

  it('is made from the events of that target, of a week unless told otherwise', async () => {
    fake.archived = [denied];
    const { status, json } = await ask('GET', '/v1/targets/shop/report', 'erin');
    expect(status).toBe(200);
    expect(fake.asked).toMatchObject([{ target: 'shop', since: NOW - 7 * 86_400_000, last: undefined, follow: false }]);
    expect(json).toMatchObject({
      target: 'shop',
      mode: 'enforce',
      groups: [{ policies: ['bounded'], statements: [{ who: ['alice > deploy (attested)'] }] }],
      verdict: { ready: true },
    });
    expect(json).not.toHaveProperty('bypass');
    fake.bypass = [{ target: 'shop', lookedAt: NOW, findings: [], limits: [] }];
    fake.asked = [];
    const later = await ask('GET', '/v1/targets/shop/report?since=2026-09-30T00:00:00Z', 'dave');
    expect(later.json).toMatchObject({ bypass: { sessions: 0 } });
    expect(fake.asked).toMatchObject([{ since: Date.parse('2026-09-30T00:00:00Z') }]);
  });

  it('is made while the store is away', async () => {
    fake.archived = [denied];
    const away = () => Promise.reject(new Fault('STORE_UNAVAILABLE', 'away'));
    const ports = { ...fake.ports(), policiesSince: away, sessions: { list: away, find: away } };
    app = createApp({ ports, isLocal: () => true, onFault: (fault) => faults.push(fault.code) });
    const { status, json } = await ask('GET', '/v1/targets/shop/report', undefined);
    expect(status).toBe(200);
    expect(json).toMatchObject({ who: [{ chain: 'p' }], groups: [{ operations: 1 }] });
  });

  it.each([
    ['somebody without the right', 'alice', 'shop', 403],
    ['an agent', 'daves-job', 'shop', 403],
    ['a narrowed pass', 'narrowed', 'shop', 403],
    ['nobody', undefined, 'shop', 401],
    ['an auditor about nothing', 'erin', 'nowhere', 404],
    ['an auditor about no time', 'erin', 'shop?since=tomorrow', 400],
  ])('is not for %s', async (_name, as, target, status) => {
    const [name, search] = target.split('?');
    const answer = await ask('GET', `/v1/targets/${name}/report${search === undefined ? '' : `?${search}`}`, as);
    expect(answer.status).toBe(status);
    expect(fake.asked).toEqual([]);
  });
});

describe('an adoption', () => {
  it('is only planned unless it is asked for', async () => {
    const { status, json } = await ask('POST', '/v1/targets/shop/adopt', 'dave', {});
    expect(status).toBe(200);
    expect(json).toMatchObject({
      plan: { user: 'app', from: 'env:SECRET', adopted: null, others: { groups: [{ applications: ['cron'] }] } },
    });
    expect(json).not.toHaveProperty('done');
    expect(fake.adoptions).toEqual(['plan shop']);
    expect(fake.events).toEqual([]);
  });

  it.each([
    [{ apply: true, end_others: true }, 'adopt shop by https://id.example|dave and end others', 'target.adopted'],
    [{ apply: true, do: 'undo' }, 'undo shop by https://id.example|dave', 'target.adopt-undone'],
    [{ apply: true, do: 'forget' }, 'forget shop by https://id.example|dave', 'target.adopt-forgotten'],
  ])('is written down before and after: %j', async (wish, done, type) => {
    expect((await ask('POST', '/v1/targets/shop/adopt', 'dave', wish)).status).toBe(200);
    expect(fake.adoptions).toEqual(['plan shop', done]);
    expect(fake.events.map((event) => [event.type, event['stage']])).toEqual([
      [type, 'begins'],
      [type, 'done'],
    ]);
  });

  it('does nothing that cannot be written down, and writes down what failed', async () => {
    fake.unwritable = true;
    expect((await ask('POST', '/v1/targets/shop/adopt', 'dave', { apply: true })).status).toBe(503);
    expect(fake.adoptions).toEqual(['plan shop']);
    fake.unwritable = false;
    fake.adoptionFault = new Fault('CONFLICT', 'somebody else');
    expect((await ask('POST', '/v1/targets/shop/adopt', 'dave', { apply: true })).status).toBe(409);
    expect(fake.events.map((event) => event['stage'])).toEqual(['begins', 'failed']);
  });

  it.each([
    ['an auditor', 'erin', 'shop', {}, 403],
    ['somebody without the right', 'alice', 'shop', {}, 403],
    ['an agent', 'daves-job', 'shop', {}, 403],
    ['nothing', 'dave', 'nowhere', {}, 404],
    ['something else', 'dave', 'shop', { do: 'sell' }, 400],
  ])('is not for %s', async (_name, as, target, wish, status) => {
    expect((await ask('POST', `/v1/targets/${target}/adopt`, as, { apply: true, ...wish })).status).toBe(status);
    expect(fake.adoptions).toEqual([]);
  });
});

describe('sessions past the gateway', () => {
  const state: BypassState = {
    target: 'shop',
    lookedAt: NOW,
    findings: [{ role: 'app', address: '10.0.0.7', sessions: 3, applications: ['cron'], since: NOW - 60_000 }],
    limits: [],
  };

  it('are told to administrators with the target, and at its test', async () => {
    fake.bypass = [state];
    const { json } = await ask('GET', '/v1/targets', 'dave');
    expect(json).toMatchObject({
      targets: [
        {
          name: 'shop',
          bypass: { sessions: 3, findings: [{ role: 'app', address: '10.0.0.7', applications: ['cron'] }] },
        },
        { name: 'hidden', bypass: null },
      ],
    });
    expect(JSON.stringify((await ask('GET', '/v1/targets', 'alice')).json)).not.toContain('bypass');
    const test = await ask('POST', '/v1/targets/shop/test', 'dave', {});
    expect(test.json).toMatchObject({
      ok: true,
      bypass: { lines: ['3 sessions of app from 10.0.0.7 (cron) go past the gateway, since 2026-10-01T11:59:00.000Z'] },
    });
  });
});
