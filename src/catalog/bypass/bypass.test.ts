import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CatalogConnection } from '../ports.ts';
import { Backends, type FleetBackends, type ToldBackend } from './backends.ts';
import { judge } from './judge.ts';
import type { SeenSession } from './look.ts';
import { BypassWatch, type WatchedTarget } from './watch.ts';

const NOW = 1_800_000_000_000;

const session = (process: number, more: Partial<SeenSession> = {}): SeenSession => ({
  process,
  user: 'app',
  application: 'psql',
  address: '10.0.0.7',
  age: 60_000,
  ...more,
});

class FakeFleet implements FleetBackends {
  told: readonly ToldBackend[] = [];
  elsewhere: { workers: number; backends: readonly ToldBackend[] } = { workers: 0, backends: [] };
  broken = false;
  async tell(backends: readonly ToldBackend[]): Promise<void> {
    if (this.broken) throw new Error('store');
    this.told = backends;
  }
  async others(): Promise<FakeFleet['elsewhere']> {
    return this.elsewhere;
  }
  async left(): Promise<readonly ToldBackend[]> {
    return this.told;
  }
}

function world(): { fleet: FakeFleet; backends: Backends; clock: { at: number }; problems: unknown[] } {
  const fleet = new FakeFleet();
  const clock = { at: NOW };
  const problems: unknown[] = [];
  const backends = new Backends({
    fleet,
    clock: { now: () => clock.at, monotonic: () => clock.at },
    onProblem: (thrown) => problems.push(thrown),
  });
  return { fleet, backends, clock, problems };
}

afterEach(() => vi.useRealTimers());

describe('our own sessions', () => {
  it('are known by role and process, whatever they call themselves', async () => {
    const { backends } = world();
    backends.opened('app', 7);
    const ours = await backends.ours();
    expect(ours.has('app', 7, 60_000)).toBe(true);
    expect(ours.has('app', 8, 60_000)).toBe(false);
    expect(ours.has('other', 7, 60_000)).toBe(false);
  });

  it('are ours while the server runs them on, and a later one with the same number is not', async () => {
    const { backends, clock } = world();
    const gone = backends.opened('app', 7);
    gone();
    clock.at += 600_000;
    const ours = await backends.ours();
    expect(ours.has('app', 7, 601_000)).toBe(true); // began before we let go
    expect(ours.has('app', 7, 300_000)).toBe(false);
    expect(ours.has('app', 7, undefined)).toBe(false);
  });

  it('stay ours while one of two targets of the same number holds them', async () => {
    const { backends } = world();
    const gone = backends.opened('app', 7);
    backends.opened('app', 7);
    gone();
    expect((await backends.ours()).has('app', 7, 1)).toBe(true);
  });

  it('of other nodes are ours, too', async () => {
    const { backends, fleet } = world();
    fleet.elsewhere = {
      workers: 1,
      backends: [
        ['9 app', 0],
        ['11 app', NOW - 1000],
      ],
    };
    const ours = await backends.ours();
    expect(ours.workers).toBe(1);
    expect(ours.has('app', 9, 60_000)).toBe(true);
    expect(ours.has('app', 11, 60_000)).toBe(true);
    expect(ours.has('app', 10, 60_000)).toBe(false);
  });

  it('of an earlier run are ours while they last', async () => {
    const { backends, fleet } = world();
    fleet.told = [['7 app', NOW]];
    await backends.inherit();
    const ours = await backends.ours();
    expect(ours.has('app', 7, 60_000)).toBe(true);
    expect(ours.has('app', 8, 60_000)).toBe(false);
  });

  it('are told to other nodes, together and again until it works', async () => {
    vi.useFakeTimers();
    const { backends, fleet, problems } = world();
    fleet.broken = true;
    backends.opened('app', 7);
    const gone = backends.opened('app', 8);
    gone();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(problems).toHaveLength(1);
    fleet.broken = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(fleet.told).toEqual([
      ['7 app', 0],
      ['8 app', NOW],
    ]);
    backends.close();
  });
});

describe('a judgement', () => {
  const none = { has: () => false, workers: 0 };
  const at = { before: new Map<string, number>(), now: NOW };

  it('groups who is not ours by role and address', () => {
    const { findings } = judge(
      [
        session(1),
        session(2, { application: 'cron', age: 90_000 }),
        session(3, { address: undefined }),
        session(4, { user: 'postgres' }),
        session(5),
      ],
      { has: (_user, process) => process === 5, workers: 0 },
      at,
    );
    expect(findings).toEqual([
      { role: 'app', address: '10.0.0.7', sessions: 2, applications: ['psql', 'cron'], since: NOW - 90_000 },
      { role: 'app', address: undefined, sessions: 1, applications: ['psql'], since: NOW - 60_000 },
      { role: 'postgres', address: '10.0.0.7', sessions: 1, applications: ['psql'], since: NOW - 60_000 },
    ]);
  });

  it('gives a session time to become known as ours', () => {
    expect(judge([session(1, { age: 4_000 })], none, at).findings).toEqual([]);
    expect(judge([session(1, { age: 6_000 })], none, at).findings).toHaveLength(1);
  });

  it('accuses one whose age it cannot see when it sees it again', () => {
    const hidden = session(1, { age: undefined, address: undefined });
    const first = judge([hidden], none, at);
    expect(first.findings).toEqual([]);
    const second = judge([hidden], none, { before: first.strangers, now: NOW + 30_000 });
    expect(second.findings).toMatchObject([{ sessions: 1, since: NOW }]);
    const other = judge([{ ...hidden, process: 2 }], none, { before: first.strangers, now: NOW });
    expect(other.findings).toEqual([]);
  });

  it('names a few applications only', () => {
    const many = Array.from({ length: 20 }, (_, n) => session(n, { application: `app ${n % 10}` }));
    expect(judge(many, none, at).findings).toMatchObject([{ sessions: 20, applications: { length: 5 } }]);
  });
});

describe('the watch', () => {
  interface Scene {
    rows: Record<string, unknown>[];
    targets: WatchedTarget[];
    alarms: string[];
    dials: number;
    ended: number;
    queries: string[];
    broken: boolean;
  }

  function scene(): { scene: Scene; watch: BypassWatch } {
    const self = { self: true, all: true, pid: 99 };
    const it: Scene = {
      rows: [self, { pid: 1, user: 'app', application: 'psql', address: '10.0.0.7', age: 60_000, self: false }],
      targets: [{ name: 'shop', server: 'one', databases: ['shop'], roles: undefined }],
      alarms: [],
      dials: 0,
      ended: 0,
      queries: [],
      broken: false,
    };
    const connection: CatalogConnection = {
      process: 99,
      query: async (text) => {
        if (it.broken) throw new Error('gone');
        it.queries.push(text);
        return it.rows;
      },
      end: async () => {
        it.ended += 1;
      },
    };
    const watch = new BypassWatch({
      targets: () => it.targets,
      connect: async () => {
        it.dials += 1;
        return connection;
      },
      ours: async () => ({ has: () => false, workers: 0 }),
      alarm: async (target, { role, address }) => void it.alarms.push(`${target} ${role} ${address}`),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
    });
    return { scene: it, watch };
  }

  it('looks every 30 seconds on one connection, and tells of a finding once an hour', async () => {
    vi.useFakeTimers();
    const { scene: now, watch } = scene();
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    expect(now.queries).toHaveLength(10);
    expect(now.dials).toBe(1);
    expect(now.alarms).toEqual(['shop app 10.0.0.7']);
    expect(watch.states()).toMatchObject([{ target: 'shop', findings: [{ sessions: 1 }], limits: [] }]);
    await vi.advanceTimersByTimeAsync(56 * 60_000);
    expect(now.alarms).toHaveLength(2);
    now.rows.push({ pid: 2, user: 'app', application: 'psql', address: '10.0.0.8', age: 60_000, self: false });
    await vi.advanceTimersByTimeAsync(31_000);
    expect(now.alarms.at(-1)).toBe('shop app 10.0.0.8');
    await watch.close();
  });

  it('leaves a target that cannot be looked at alone for longer and longer, and accuses nobody meanwhile', async () => {
    vi.useFakeTimers();
    const { scene: now, watch } = scene();
    now.broken = true;
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    expect(now.dials).toBeLessThan(12);
    expect(watch.states()).toMatchObject([{ findings: [], limits: [expect.stringContaining('gone')] }]);
    now.broken = false;
    await watch.look('shop');
    expect(watch.states()).toMatchObject([{ findings: [{ sessions: 1 }], limits: [] }]);
    await watch.close();
  });

  it('tells nothing of sessions behind a pooler, and says what it cannot see', async () => {
    const { scene: now, watch } = scene();
    now.rows[0] = { self: true, all: false, pid: 99 };
    expect(await watch.look('shop')).toMatchObject({
      findings: [{}],
      limits: [expect.stringContaining('pg_read_all_stats')],
    });
    now.rows[0] = { self: true, all: true, pid: 100 };
    expect(await watch.look('shop')).toMatchObject({ findings: [], limits: [expect.stringContaining('pooler')] });
    expect(await watch.look('unwatched')).toBeUndefined();
    await watch.close();
  });

  it('goes over to another server with the configuration, and knows nobody there', async () => {
    const { scene: now, watch } = scene();
    now.rows[1] = { pid: 1, user: 'app', application: '', address: null, age: null, self: false };
    await watch.look('shop');
    now.targets = [{ name: 'shop', server: 'two', databases: ['shop'], roles: undefined }];
    expect(watch.states()).toMatchObject([{ lookedAt: undefined }]);
    expect(await watch.look('shop')).toMatchObject({ findings: [] });
    expect(now.dials).toBe(2);
    expect(now.ended).toBe(1);
    expect(await watch.look('shop')).toMatchObject({ findings: [{ sessions: 1 }] });
    await watch.close();
  });

  it('stops when the configuration says so', async () => {
    vi.useFakeTimers();
    const { scene: now, watch } = scene();
    await vi.advanceTimersByTimeAsync(31_000);
    now.targets = [];
    const before = now.queries.length;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(now.queries).toHaveLength(before);
    expect(watch.states()).toEqual([]);
    await watch.close();
  });
});
