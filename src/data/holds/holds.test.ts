import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answered, redeemed, withdrawn } from '../../approvals/request.ts';
import { memoryStore } from '../../approvals/testing/memory.ts';
import { aRule } from '../../approvals/testing/requests.ts';
import type { Hold } from '../../core/decision.ts';
import type { Feed, FeedEntry } from '../../core/feed.ts';
import type { Operation } from '../../core/operation.ts';
import type { Patience } from '../../core/session.ts';
import { agent, alice, chainOf, engineFor } from '../../policy/testing/chain.ts';
import { Holds } from './holds.ts';

const operation: Operation = {
  protocol: 'postgres',
  text: 'DROP TABLE orders',
  parameters: undefined,
  facts: { statements: [], fingerprint: 'f', normalised: 'DROP TABLE orders' },
  database: 'shop',
  role: 'app',
  searchPath: ['public'],
};
const hold: Hold = {
  effect: 'hold',
  policies: ['ask'],
  obligations: [],
  rules: ['dba'],
  message: 'ddl needs approval',
};
const bob = {
  by: { id: 'idp|bob', name: 'Bob', groups: ['dba'] },
  verdict: 'approve',
  reason: 'fine',
  scope: 'once',
} as const;
const MINUTE = 60_000;

/** A worker with one clock, and what its client was told. */
function worker(expires = 3_600, most = 5 * MINUTE) {
  const rules = [aRule({ name: 'dba', expires })];
  const listeners = new Set<(entry: FeedEntry) => void>();
  let sequence = 0;
  const store = memoryStore(Date.now, ({ id, state }) => {
    for (const listener of listeners) listener({ sequence: ++sequence, kind: 'approval', id, state });
  });
  const clock = { now: Date.now, monotonic: () => performance.now() };
  const holds = new Holds({
    store,
    feed: { subscribe: (one: (entry: FeedEntry) => void) => listeners.add(one) } as unknown as Feed,
    clock,
    random: { bytes: (length) => new Uint8Array(length).fill(++sequence) },
    engine: engineFor('@id("ask") @approval("dba") forbid (principal, action, resource);'),
    rules: () => rules,
    estimate: async () => undefined,
    patience: () => most,
  });
  const told: string[] = [];
  const gone = new AbortController();
  const patience: Patience = {
    settle: async () => true,
    tell: (message) => told.push(message),
    unchanged: async () => true,
    signal: gone.signal,
  };
  const ended = new AbortController();
  const session = {
    id: 's',
    chain: chainOf(alice, [{ agent: agent('ci') }]),
    target: { name: 'shop' },
    signal: ended.signal,
  };
  return { rules, store, holds, told, gone, ended, patience, ask: (of = operation) => holds.ask(session, of, hold) };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a hold', () => {
  it('is released when somebody approves, and redeemed once', async () => {
    const { ask, store, told, patience } = worker();
    const asked = await ask();
    const answer = asked.answer(patience);
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(told).toHaveLength(5);
    expect(told.at(-1)).toMatch(/still waiting .* \(120 s\)/);
    await store.change(asked.request, (request, now) => answered(request, bob, now));
    await expect(answer).resolves.toBe('approved');
    await expect(asked.redeem(hold)).resolves.toMatchObject({ effect: 'permit', approval: asked.request });
    await expect(asked.redeem(hold)).resolves.toMatchObject({ effect: 'deny', reason: 'approval-required' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<[string, (all: ReturnType<typeof worker>, id: string) => unknown, object]>([
    [
      'denied',
      ({ store }, id) => store.change(id, (request, now) => answered(request, { ...bob, verdict: 'deny' }, now)),
      { reason: 'approval-denied', message: /^Bob denied request .*: fine$/ },
    ],
    ['withdrawn', ({ store }, id) => store.change(id, withdrawn), { reason: 'approval-expired' }],
    ['cancelled', ({ gone }) => gone.abort(), { reason: 'cancelled' }],
    ['cut with its session', ({ ended }) => ended.abort(), { reason: 'cancelled' }],
    [
      'left without an answer',
      () => vi.advanceTimersByTimeAsync(5 * MINUTE),
      { reason: 'approval-required', hint: /stays open/ },
    ],
  ])('ends when it is %s, and leaves nothing behind', async (_name, happens, denial) => {
    const all = worker();
    const asked = await all.ask();
    const answer = asked.answer(all.patience);
    await vi.advanceTimersByTimeAsync(10);
    await happens(all, asked.request);
    const got = await answer;
    expect(got).toMatchObject({
      effect: 'deny',
      ...Object.fromEntries(
        Object.entries(denial).map(([key, value]) => [
          key,
          value instanceof RegExp ? expect.stringMatching(value) : value,
        ]),
      ),
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with its request, before the patience is over', async () => {
    const { ask, patience } = worker(60);
    const answer = (await ask()).answer(patience);
    await vi.advanceTimersByTimeAsync(MINUTE + 100);
    await expect(answer).resolves.toMatchObject({ reason: 'approval-expired' });
  });

  it('is not cancelled and approved at once', async () => {
    const { ask, store, gone, patience } = worker();
    const asked = await ask();
    const answer = asked.answer(patience);
    await vi.advanceTimersByTimeAsync(10);
    const approved = store.change(asked.request, (request, now) => answered(request, bob, now));
    gone.abort();
    await approved;
    await expect(answer).resolves.toMatchObject({ reason: 'cancelled' });
    expect((await store.find(asked.request))?.uses).toBe(0);
  });

  it('waits for nobody where something is at stake, or nobody can wait', async () => {
    const { ask, patience, told } = worker();
    const busy = { ...patience, settle: async () => false };
    const asked = await ask();
    const denial = { reason: 'approval-required', message: expect.stringContaining(asked.request) };
    await expect(asked.answer(busy)).resolves.toMatchObject(denial);
    await expect(asked.answer(undefined)).resolves.toMatchObject(denial);
    expect(told).toEqual([]);
  });

  it('waits for nobody where that is not wanted', async () => {
    const { ask, patience, told } = worker(3_600, 0);
    await expect((await ask()).answer(patience)).resolves.toMatchObject({ hint: expect.stringMatching(/stays open/) });
    expect(told).toEqual([]);
  });

  it('is refused when what it names changed meanwhile, with its approval unused', async () => {
    const { ask, store, patience } = worker();
    const asked = await ask();
    const answer = asked.answer({ ...patience, unchanged: async () => false });
    await vi.advanceTimersByTimeAsync(10);
    await store.change(asked.request, (request, now) => answered(request, bob, now));
    await expect(answer).resolves.toMatchObject({ effect: 'deny', message: expect.stringContaining('has changed') });
    expect((await store.find(asked.request))?.state).toBe('approved');
  });

  it('finds what was approved for the same before, and for nothing else', async () => {
    const { ask, store, patience } = worker();
    const first = await ask();
    await store.change(first.request, (request, now) => answered(request, bob, now));
    const again = await ask();
    expect(again.request).toBe(first.request);
    await expect(again.answer(patience)).resolves.toBe('approved');
    for (const other of [
      { ...operation, text: 'DROP TABLE  orders' },
      { ...operation, parameters: ['1'] },
      { ...operation, runs: { text: 'prepare p as drop table orders', parameters: undefined } },
      { ...operation, runs: { text: 'prepare p as drop table carts', parameters: undefined } },
      { ...operation, role: 'admin' },
      { ...operation, database: 'lab' },
      { ...operation, searchPath: ['evil', 'public'] },
      { ...operation, facts: { ...operation.facts, fingerprint: 'g' } },
    ]) {
      expect((await ask(other)).request).not.toBe(first.request);
    }
  });

  it('counts for nothing once its rule asks for more', async () => {
    const { ask, store, rules } = worker();
    const asked = await ask();
    await store.change(asked.request, (request, now) => answered(request, bob, now));
    rules[0] = aRule({ name: 'dba', steps: [{ groups: ['dba'], people: [], manager: false, need: 2 }] });
    await expect(asked.redeem(hold)).resolves.toMatchObject({ effect: 'deny' });
    expect((await ask()).request).not.toBe(asked.request);
  });

  it('wakes when an answer came before it listened', async () => {
    const { ask, store, patience } = worker();
    const asked = await ask();
    await store.change(asked.request, (request, now) => answered(request, bob, now));
    await expect(asked.answer(patience)).resolves.toBe('approved');
  });

  it('is told that somebody else has used the approval', async () => {
    const { ask, store, patience } = worker();
    const asked = await ask();
    const answer = asked.answer(patience);
    await vi.advanceTimersByTimeAsync(10);
    await store.change(asked.request, (request, now) => answered(request, bob, now));
    const { digest } = asked.made;
    await store.change(asked.request, (request, now) =>
      redeemed(request, { digest, alike: undefined, around: 'a1', session: 's' }, now),
    );
    const got = await answer;
    expect(got === 'approved' ? await asked.redeem(hold) : got).toMatchObject({
      message: expect.stringContaining('used already'),
    });
  });
});
