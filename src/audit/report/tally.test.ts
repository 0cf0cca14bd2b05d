import { describe, expect, it } from 'vitest';
import type { AuditEvent, Json } from '../../core/evidence.ts';
import type { TargetReport } from './report.ts';
import { tally } from './tally.ts';
import { verdictOf } from './verdict.ts';

const START = Date.parse('2026-10-01T12:00:00Z');
let second = 0;

function event(type: AuditEvent['type'], more: Record<string, Json> = {}): AuditEvent {
  second += 1;
  const at = new Date(START + second * 1000).toISOString();
  return { v: 1, type, at, target: 'shop', session: 's1', principal: 'idp|alice', ...more };
}

const asked = (seq: number, more: Record<string, Json> = {}): AuditEvent =>
  event('operation.cleared', { seq, fingerprint: 'f1', statement: 'SELECT ? FROM orders', ...more });

const would = (seq: number, more: Record<string, Json> = {}): AuditEvent =>
  asked(seq, {
    would: 'deny',
    would_policies: [],
    would_reason: 'no-permit',
    would_message: 'no policy permits select on table shop/shop/public/orders to alice',
    would_hint: 'permit (principal == User::"idp|alice", …);',
    ...more,
  });

async function reportOn(events: readonly AuditEvent[]): Promise<TargetReport> {
  async function* all(): AsyncGenerator<AuditEvent> {
    yield* events;
  }
  return await tally(all(), {
    target: 'shop',
    since: START,
    until: START + 3_600_000,
    chainOf: async (session) => (session === 'old' ? 'bob > job (attested)' : undefined),
  });
}

describe('a report', () => {
  it('counts by whom, with the whole chain, also of sessions that began before', async () => {
    const { who, sessions, operations } = await reportOn([
      event('session.start', { chain: 'alice > helper (asserted)' }),
      asked(1),
      event('session.end'),
      asked(1, { session: 'old', principal: 'idp|bob' }),
      would(2, { session: 'old', principal: 'idp|bob' }),
      asked(1, { session: 'unknown', principal: 'idp|eve' }),
      event('session.refused'),
    ]);
    expect(who.map(({ chain, principal, operations: count, stopped }) => [chain, principal, count, stopped])).toEqual([
      ['bob > job (attested)', 'idp|bob', 2, 1],
      ['alice > helper (asserted)', 'idp|alice', 1, 0],
      ['idp|eve', 'idp|eve', 1, 0],
    ]);
    expect(sessions).toEqual({ started: 1, refused: 1 });
    expect(operations).toMatchObject({ cleared: 4, denied: 0, would_deny: 1 });
  });

  it('groups by who decided, then by fingerprint, and says what would permit it', async () => {
    const first = would(1);
    const last = would(2);
    const { groups } = await reportOn([
      first,
      would(3, { fingerprint: 'f2', statement: 'SELECT ? FROM customers' }),
      asked(4, { would: 'hold', would_policies: ['prod-ddl'], would_rules: ['dba-oncall'] }),
      event('operation.denied', { seq: 5, policies: ['bounded'], reason: 'forbidden', fingerprint: 'f3' }),
      last,
      asked(6),
    ]);
    expect(groups).toMatchObject([
      {
        effect: 'deny',
        enforced: false,
        reason: 'no-permit',
        operations: 3,
        statements: [
          {
            statement: 'SELECT ? FROM orders',
            operations: 2,
            first: first.at,
            last: last.at,
            needs: ['permit (principal == User::"idp|alice", …);'],
          },
          { statement: 'SELECT ? FROM customers', operations: 1 },
        ],
      },
      { effect: 'hold', enforced: false, policies: ['prod-ddl'], rules: ['dba-oncall'], operations: 1 },
      { effect: 'deny', enforced: true, policies: ['bounded'], reason: 'forbidden', operations: 1 },
    ]);
  });

  it('lists every line that is missing, where the event has several', async () => {
    const { groups } = await reportOn([
      would(1, { would_hints: ['permit select;', 'permit filter;'] }),
      event('operation.denied', { seq: 2, policies: [], reason: 'caveat', hint: 'ask for a wider pass' }),
    ]);
    expect(groups.map(({ statements }) => statements[0]?.needs)).toEqual([
      ['permit select;', 'permit filter;'],
      ['ask for a wider pass'],
    ]);
  });

  it('counts what was held once, whatever was answered', async () => {
    const { operations, groups, who } = await reportOn([
      event('operation.held', { seq: 1, policies: ['ddl'], rules: ['dba'], fingerprint: 'f' }),
      event('operation.denied', { seq: 1, policies: ['ddl'], reason: 'approval-denied', fingerprint: 'f' }),
      event('operation.held', { seq: 2, policies: ['ddl'], rules: ['dba'], fingerprint: 'f' }),
      event('operation.cleared', { seq: 2, fingerprint: 'f' }),
      event('operation.denied', { seq: 3, policies: [], reason: 'no-permit', fingerprint: 'f' }),
    ]);
    expect(operations).toMatchObject({ cleared: 1, denied: 2, held: 2 });
    expect(groups.map(({ effect, operations: count }) => [effect, count])).toEqual([
      ['hold', 2],
      ['deny', 1],
    ]);
    expect(who).toMatchObject([{ operations: 3, stopped: 3 }]);
  });

  it('tells which labelled columns were used, and how', async () => {
    const column = 'shop/shop/public/customers/e mail';
    const { labelled } = await reportOn([
      asked(1, { labelled: [`read ${column} pii.email`, `filter ${column} pii.email`], masked: [`${column} email`] }),
      asked(2, { labelled: [`read ${column} pii.email`] }),
      event('operation.denied', { seq: 3, labelled: [`read ${column} pii.email`] }),
    ]);
    expect(labelled).toMatchObject([{ column, label: 'pii.email', uses: { read: 2, filter: 1 }, masked: 1 }]);
  });

  it('adds up what detectors found, and errors', async () => {
    const { found, operations } = await reportOn([
      event('operation.done', { seq: 1, error: null, found: { email: 3, card: 1 } }),
      event('operation.done', { seq: 2, error: '42601', found: { email: 1, card: 'many' } }),
    ]);
    expect(found).toMatchObject([
      { detector: 'email', values: 4, operations: 2 },
      { detector: 'card', values: 1, operations: 1 },
    ]);
    expect(operations.failed).toBe(1);
  });

  it('is bounded, and says what it left out', async () => {
    const many = Array.from({ length: 2500 }, (_, n) =>
      would(n, { fingerprint: `f${n}`, principal: `idp|p${n}`, session: `s${n}`, would_policies: [`p${n % 300}`] }),
    );
    const report = await reportOn(many);
    expect(report.operations.would_deny).toBe(2500);
    expect(report.groups).toHaveLength(200);
    expect(report.who).toHaveLength(500);
    expect(report.groups.flatMap(({ statements }) => statements).length).toBeLessThanOrEqual(2000);
    const { groups, who } = report.left_out;
    const kept = report.groups.reduce((sum, { operations }) => sum + operations, 0);
    expect(kept + groups).toBe(2500);
    expect(who).toBe(2000);
  });

  it('cuts long statements', async () => {
    const { groups } = await reportOn([would(1, { statement: 'x'.repeat(10_000) })]);
    expect(groups[0]?.statements[0]?.statement).toHaveLength(500);
  });

  it('takes fields that are not what they should be for absent', async () => {
    const { groups } = await reportOn([
      event('operation.denied', { seq: 'one', policies: 'p', reason: 7, labelled: 3, found: [1] }),
      event('operation.cleared', { would: 'maybe' }),
    ]);
    expect(groups).toMatchObject([{ policies: [], reason: undefined, operations: 1 }]);
  });
});

describe('ready to enforce?', () => {
  const observe = { mode: 'observe', policiesSince: undefined } as const;

  it('not where nothing was seen', async () => {
    expect(verdictOf(await reportOn([]), observe)).toMatchObject({
      ready: false,
      message: expect.stringContaining('Nothing was asked'),
    });
  });

  it('yes where nothing would have changed, whatever was denied already', async () => {
    const report = await reportOn([
      asked(1),
      event('operation.denied', { seq: 2, reason: 'forbidden', policies: ['p'] }),
    ]);
    expect(verdictOf(report, observe).ready).toBe(true);
  });

  it('no where something would have been stopped', async () => {
    const verdict = verdictOf(await reportOn([asked(1), would(2)]), observe);
    expect(verdict).toEqual({
      ready: false,
      message: 'Not yet: of 2 operations 1 would have been denied and 0 held, and ran.',
    });
  });

  it('says when all of that was under other policies', async () => {
    const report = await reportOn([would(1)]);
    const later = verdictOf(report, { mode: 'observe', policiesSince: START + 3_000_000 });
    expect(later).toMatchObject({ ready: false, message: expect.stringContaining('--since 2026-10-01T12:50:00.000Z') });
    const earlier = verdictOf(report, { mode: 'observe', policiesSince: START });
    expect(earlier.message).not.toContain('--since');
  });

  it('tells of an enforced target what it stopped', async () => {
    const report = await reportOn([asked(1), event('operation.denied', { seq: 2, policies: [], reason: 'no-permit' })]);
    expect(verdictOf(report, { mode: 'enforce', policiesSince: undefined })).toEqual({
      ready: true,
      message: 'It is enforced already: 1 denied and 0 held of 2.',
    });
  });
});
