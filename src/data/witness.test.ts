import { describe, expect, it } from 'vitest';
import { deny, type Hold, type Permit } from '../core/decision.ts';
import type { AuditEvent, EvidenceWriter } from '../core/evidence.ts';
import type { ColumnUse, StatementFacts } from '../core/facts.ts';
import { Fault } from '../core/fault.ts';
import type { Operation } from '../core/operation.ts';
import type { Outcome } from '../core/session.ts';
import type { RecordingRules } from '../core/target.ts';
import { alice, chainOf } from '../policy/testing/chain.ts';
import { Witness } from './witness.ts';

const permit: Permit = { effect: 'permit', policies: ['p'], obligations: [] };
const operation: Operation = {
  protocol: 'postgres',
  text: 'SELECT 1',
  parameters: undefined,
  facts: { statements: [], fingerprint: 'f', normalised: 'SELECT 1' },
  database: 'shop',
  role: 'app',
  searchPath: [],
};
const outcome: Outcome = { tag: 'SELECT 1', error: undefined, rows: 1, kept: 1, bytes: 9, found: {}, duration: 1 };

/** A witness whose writer fails while `broken` is set; every append of a turn shares one promise, as the writer's do. */
function witness(mode: RecordingRules['mode']): {
  witness: Witness;
  alarms: AuditEvent[];
  events: string[];
  disk: { broken: boolean };
} {
  const alarms: AuditEvent[] = [];
  const events: string[] = [];
  const disk = { broken: false };
  let turn: Promise<void> | undefined;
  const append = (): Promise<void> => {
    if (turn !== undefined) return turn;
    turn = disk.broken ? Promise.reject(new Fault('EVIDENCE_UNWRITABLE', 'full')) : Promise.resolve();
    turn.catch(() => undefined);
    setImmediate(() => {
      turn = undefined;
    });
    return turn;
  };
  const writer: EvidenceWriter = {
    stalled: false,
    record: append,
    both: (event) => {
      events.push(event);
      return append();
    },
    audit: async (event) => void alarms.push(event),
  };
  const subject = { session: 's', chain: chainOf(alice), target: 'shop', database: 'shop', role: 'app' };
  const clock = { now: () => 0, monotonic: () => 0 };
  return { witness: new Witness(writer, clock, subject, { mode, rows: 1 }), alarms, events, disk };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a record that cannot be written', () => {
  it('stops the operation where recording is required', async () => {
    const { witness: required, alarms, disk } = witness('required');
    disk.broken = true;
    await expect(required.decided(operation, 1, permit)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
    expect(alarms).toEqual([]);
  });

  it('raises an alarm where it is not', async () => {
    const { witness: easy, alarms, disk } = witness('best-effort');
    disk.broken = true;
    await expect(easy.decided(operation, 1, permit)).resolves.toBeUndefined();
    expect(alarms).toMatchObject([{ type: 'alarm', alarm: 'recording-lost', session: 's' }]);
  });

  it.each(['frames', 'done'] as const)('stops the next operation when it was of what was told (%s)', async (what) => {
    const { witness: required, disk } = witness('required');
    await required.decided(operation, 1, permit);
    await turn();
    disk.broken = true;
    if (what === 'frames') required.frames(1, new Uint8Array(3));
    else required.done(1, outcome);
    await turn();
    disk.broken = false;
    await expect(required.decided(operation, 2, permit)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
  });

  it('is heard of in each write, not only in the first', async () => {
    const { witness: required, disk } = witness('required');
    required.frames(1, new Uint8Array(3));
    required.done(1, outcome);
    await turn();
    disk.broken = true;
    required.frames(2, new Uint8Array(3));
    required.done(2, outcome);
    await turn();
    await expect(required.decided(operation, 3, permit)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
  });
});

describe('an observed operation', () => {
  const denial = deny('no-permit', 'no policy permits it', { hint: 'permit (…);' });
  const hold: Hold = { effect: 'hold', policies: ['ddl'], rules: ['dba'], obligations: [], message: 'needs approval' };

  it.each([
    [
      'denied',
      denial,
      {
        would: 'deny',
        would_policies: [],
        would_reason: 'no-permit',
        would_message: 'no policy permits it',
        would_hint: 'permit (…);',
      },
    ],
    ['held', hold, { would: 'hold', would_policies: ['ddl'], would_rules: ['dba'], would_message: 'needs approval' }],
    ['permitted', permit, {}],
  ])('says what would have made it %s', async (_name, observed, expected) => {
    const { witness: watching, events } = witness('required');
    await watching.decided(operation, 1, permit, { observed });
    const said = Object.entries(JSON.parse(events[0] ?? '')).filter(([name]) => name.startsWith('would'));
    expect(Object.fromEntries(said)).toEqual(expected);
  });
});

it('names labelled columns with their use, and no others', async () => {
  const { witness: watching, events } = witness('required');
  const column = { kind: 'Column', path: ['shop', 'shop', 'public', 'customers', 'e/mail'] } as const;
  const use = { column, use: 'filter', table: 1, attribute: 1 } as const;
  const labels = [{ label: 'pii.email', style: 'email' }] as const;
  const columns: ColumnUse[] = [
    { ...use, labels },
    { ...use, labels },
    { ...use, labels: [] },
  ];
  const statement = { verb: 'select', uses: [], columns } as unknown as StatementFacts;
  await watching.decided({ ...operation, facts: { ...operation.facts, statements: [statement] } }, 1, permit);
  expect(JSON.parse(events[0] ?? '')).toMatchObject({
    labelled: ['filter shop/shop/public/customers/e%2Fmail pii.email'],
  });
});
