import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Feed, FeedEntry, Revocation, RevocationSubject } from '../core/feed.ts';
import type { Chain } from '../core/grant.ts';
import type { Ending } from '../core/session.ts';
import { agent, alice, chainOf } from '../policy/testing/chain.ts';
import { type Endable, idsOf, Registry, strikable } from './registry.ts';
import { Revocations } from './revocations.ts';

/** A feed that says what a test says, and is as old as it says. */
class FakeFeed implements Feed {
  old = 0;
  #listener: (entry: FeedEntry) => void = () => {};

  subscribe(listener: (entry: FeedEntry) => void): () => void {
    this.#listener = listener;
    return () => {};
  }

  age(): number {
    return this.old;
  }

  async close(): Promise<void> {}

  tell(kind: 'revoked' | 'lifted', subject: RevocationSubject, until?: number): void {
    this.#listener({ sequence: until ?? 0, kind, revocation: revocation(subject, until) });
  }
}

class FakeSession implements Endable {
  readonly id: string;
  endings: Ending[] = [];
  pauses: boolean[] = [];

  constructor(id: string) {
    this.id = id;
  }

  stop(ending: Ending): void {
    this.endings.push(ending);
  }

  pause(paused: boolean): void {
    this.pauses.push(paused);
  }
}

function revocation(subject: RevocationSubject, until?: number): Revocation {
  return { subject, by: 'bob', reason: 'incident', at: 0, until };
}

const GRACE = 10_000;
let feed: FakeFeed;
let registry: Registry;
let revocations: Revocations;

beforeEach(() => {
  vi.useFakeTimers();
  feed = new FakeFeed();
  registry = new Registry();
  revocations = new Revocations(feed, registry, GRACE, () => {});
});
afterEach(() => {
  revocations.close();
  vi.useRealTimers();
});

/** Alice in person, then through a CI job, their grants born at these places of the feed. */
function bornAt(first: number, second: number): Chain {
  const [root, ...rest] = chainOf(alice, [{ agent: agent('deploy') }]).grants;
  return { grants: [{ ...root, born: first }, ...rest.map((grant) => ({ ...grant, born: second }))] };
}

function live(id: string, chain: Chain, target = 'shop'): FakeSession {
  const session = new FakeSession(id);
  registry.add(session, strikable(chain, target, id));
  return session;
}

const AGENT = { kind: 'agent', id: 'https://ci|deploy' } as const;

describe('a revocation that is heard', () => {
  it.each<[string, RevocationSubject]>([
    ['its root grant', { kind: 'grant', id: 'grant0' }],
    ['its own grant', { kind: 'grant', id: 'grant1' }],
    ['its principal', { kind: 'principal', id: alice.id }],
    ['a membership of its principal', { kind: 'membership', id: alice.id, group: 'support' }],
    ['its agent', AGENT],
    ['its target', { kind: 'target', id: 'shop' }],
    ['itself', { kind: 'session', id: 's1' }],
  ])('ends a session by %s, at once and for whoever comes', (_name, subject) => {
    const session = live('s1', bornAt(3, 4));
    const [other] = chainOf({ ...alice, id: 'https://id|bob', groups: ['dba'] }).grants;
    const bystander = live('s2', { grants: [{ ...other, id: 'other', path: ['other'] }] }, 'other');
    feed.tell('revoked', subject, subject.kind === 'membership' ? 5 : undefined);
    expect(session.endings.map(({ cause }) => cause)).toEqual([subject.kind === 'session' ? 'killed' : 'revoked']);
    expect(revocations.struck(strikable(bornAt(3, 4), 'shop', 's1'))?.subject).toEqual(subject);
    expect(bystander.endings).toEqual([]);
  });

  it('twice changes nothing more, and of something unknown nothing at all', () => {
    const session = live('s1', bornAt(3, 4));
    feed.tell('revoked', { kind: 'agent', id: 'nobody' });
    expect(session.endings).toEqual([]);
    feed.tell('revoked', AGENT);
    registry.remove('s1');
    feed.tell('revoked', AGENT);
    expect(session.endings).toHaveLength(1);
    expect(registry.size).toBe(0);
  });

  it('is told with its reason, where there is one', () => {
    const session = live('s1', bornAt(3, 4));
    feed.tell('revoked', AGENT);
    expect(session.endings[0]?.message).toBe('access was revoked (agent): incident');
  });
});

describe('a lift that is heard', () => {
  it.each<[string, RevocationSubject, first: number, second: number, struck: boolean]>([
    ['an agent’s grant of before', AGENT, 3, 4, true],
    ['an agent’s grant of later, under a root of before', AGENT, 3, 9, false],
    ['a principal’s root of before, whatever grew from it later', { kind: 'principal', id: alice.id }, 3, 9, true],
    ['a principal’s root of later', { kind: 'principal', id: alice.id }, 9, 10, false],
    ['a login of before at a target', { kind: 'target', id: 'shop' }, 3, 9, true],
    ['a login of later at a target', { kind: 'target', id: 'shop' }, 9, 9, false],
  ])('goes by age: %s', (_name, subject, first, second, struck) => {
    feed.tell('revoked', subject);
    expect(revocations.struck(strikable(bornAt(first, second), 'shop', 's1'))).toBeDefined();
    feed.tell('lifted', subject, 9);
    expect(revocations.struck(strikable(bornAt(first, second), 'shop', 's1')) !== undefined).toBe(struck);
  });

  it('strikes a session that was missed before, and no younger one', () => {
    const [old, young] = [live('s1', bornAt(3, 4)), live('s2', bornAt(9, 9))];
    feed.tell('lifted', { kind: 'principal', id: alice.id }, 9);
    expect([old.endings.length, young.endings.length]).toEqual([1, 0]);
  });

  it('strikes a grant whose age nobody knows', () => {
    feed.tell('lifted', { kind: 'principal', id: alice.id }, 0);
    expect(revocations.struck(strikable(chainOf(alice), 'shop', 's1'))).toBeDefined();
  });
});

describe('what was revoked before this worker listened', () => {
  it('strikes, unless something newer was heard', () => {
    revocations.recall([revocation({ kind: 'target', id: 'shop' })]);
    expect(revocations.struck(strikable(bornAt(3, 3), 'shop', 's1'))).toBeDefined();
    expect(revocations.struck(strikable(bornAt(3, 3), 'other', 's1'))).toBeUndefined();

    feed.tell('lifted', { kind: 'target', id: 'later' }, 2);
    revocations.recall([revocation({ kind: 'target', id: 'later' })]);
    expect(revocations.struck(strikable(bornAt(3, 3), 'later', 's1'))).toBeUndefined();
  });
});

describe('a feed that falls silent', () => {
  it('pauses results once, and lets them go on once it is heard again', () => {
    const session = live('s1', bornAt(3, 4));
    feed.old = 2_000;
    vi.advanceTimersByTime(1_000);
    expect(session.pauses).toEqual([]);
    feed.old = 2_001;
    vi.advanceTimersByTime(1_000);
    expect(session.pauses).toEqual([true]);
    feed.old = 0;
    vi.advanceTimersByTime(1_000);
    expect(session.pauses).toEqual([true, false]);
    expect(session.endings).toEqual([]);
  });

  it('ends every session once the grace is over', () => {
    const session = live('s1', bornAt(3, 4));
    feed.old = GRACE + 1;
    vi.advanceTimersByTime(250);
    expect(session.endings.map(({ cause }) => cause)).toEqual(['stale']);
  });
});

it('lists a session under the ids of its chain, not under groups', () => {
  expect(idsOf(strikable(bornAt(1, 2), 'shop', 's1'))).toEqual([
    'grant0',
    alice.id,
    'grant1',
    'https://ci|deploy',
    'shop',
    's1',
  ]);
});
