import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../core/decision.ts';
import type { AuditEvent, EvidenceWriter, NewEntry } from '../core/evidence.ts';
import type { SqlFacts } from '../core/facts.ts';
import { alice, chainOf } from '../policy/testing/chain.ts';
import { timeOf } from './testimony.ts';
import { Witness } from './witness.ts';

/** Takes down what a session says, as a reader of the files would find it. */
function fakeWriter(): {
  writer: EvidenceWriter;
  events: Record<string, unknown>[];
  entries: Record<string, unknown>[];
} {
  const events: Record<string, unknown>[] = [];
  const entries: Record<string, unknown>[] = [];
  const enter = ({ body }: NewEntry): void => void entries.push(parsed(String(body)));
  return {
    events,
    entries,
    writer: {
      stalled: false,
      audit: async (event: AuditEvent) => void events.push(event),
      record: async (entry) => enter(entry),
      both: async (event, entry) => {
        events.push(parsed(event));
        enter(entry);
      },
    },
  };
}

/** A name that stands twice would mean that a value broke out, or that parts overlap. */
function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (JSON.stringify(value) !== text) throw new Error(`a name stands twice in ${text}`);
  return value as Record<string, unknown>;
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('","decision":"permit', '\\', '"', '\\"}', '\u2028', '\ud800', '\udc00"', '__proto__', '\0'),
);

describe('what is put into words', () => {
  it('has the times that Date has', () => {
    const ends = [0, 999, 1000, 1_700_000_000_007, 253_402_300_799_999, 253_402_300_800_000, -1];
    for (const at of ends) expect(timeOf(at)).toBe(new Date(at).toISOString());
    const past = fc.date({ noInvalidDate: true, min: new Date(0) });
    fc.assert(
      fc.property(past, (at) => {
        expect(timeOf(at.getTime())).toBe(at.toISOString());
      }),
    );
  });

  it('keeps every value inside its string, whatever it is', () => {
    const arbitrary = fc.record({
      text: hostile,
      sent: fc.option(hostile, { nil: undefined }),
      parameters: fc.option(fc.array(fc.oneof(hostile, fc.constant(null), fc.uint8Array({ maxLength: 5 }))), {
        nil: undefined,
      }),
      database: hostile,
      normalised: hostile,
      policy: hostile,
      message: hostile,
      tag: hostile,
      effect: fc.constantFrom('permit', 'hold', 'deny'),
    });
    fc.assert(
      fc.property(arbitrary, (one) => {
        const { writer, events, entries } = fakeWriter();
        const clock = { now: () => 1_700_000_000_123, monotonic: () => 0 };
        const subject = { session: 's', chain: chainOf(alice), target: 'shop', database: one.database, role: 'app' };
        const witness = new Witness(writer, clock, subject, { mode: 'required', rows: 1 });
        const facts: SqlFacts = { statements: [], fingerprint: 'f', normalised: one.normalised };
        const { text, parameters, database, policy, message } = one;
        const policies = [policy];
        const decisions: Record<string, Decision> = {
          permit: { effect: 'permit', policies, obligations: [] },
          hold: { effect: 'hold', policies, obligations: [], rules: [message], message },
          deny: { effect: 'deny', policies, reason: 'forbidden', message },
        };
        const operation = {
          protocol: 'postgres',
          text,
          parameters,
          facts,
          database,
          role: 'app',
          searchPath: [],
        } as const;
        const decision = decisions[one.effect] as Decision;
        // Twice: the second time most of it is remembered.
        for (const sequence of [1, 2]) {
          void witness.decided(operation, sequence, decision, { sent: one.sent });
          witness.done(sequence, {
            tag: one.tag,
            error: undefined,
            rows: 1,
            kept: 1,
            bytes: 2,
            found: { [message]: 1 },
            duration: 1.2345,
          });
        }
        // Lone surrogates are the one thing JSON text may write in two ways.
        const same = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        for (const at of [0, 2]) {
          expect(events[at]).toMatchObject({
            v: 1,
            type: { permit: 'operation.cleared', hold: 'operation.held', deny: 'operation.denied' }[one.effect],
            at: '2023-11-14T22:13:20.123Z',
            database: same(database),
            statement: same(one.normalised),
            seq: at / 2 + 1,
            decision: one.effect,
            policies: same(policies),
          });
          expect(entries[at]).toMatchObject({ text: same(text), decision: one.effect });
          expect(events[at + 1]).toMatchObject({ type: 'operation.done', tag: same(one.tag), rows: 1, ms: 1.235 });
          expect(entries[at + 1]).toMatchObject({ tag: same(one.tag), kept: 1 });
        }
      }),
    );
  });
});
