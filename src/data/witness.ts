import type { Clock } from '../core/clock.ts';
import type { Decision, Denial } from '../core/decision.ts';
import type { AuditType, EvidenceWriter, Json, NewEntry, RecordingKind, Urgency } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';
import { agentsOf, type Chain, currentOf, describeChain, rootOf } from '../core/grant.ts';
import type { Operation } from '../core/operation.ts';
import type { Outcome, Tape } from '../core/session.ts';
import type { RecordingRules } from '../core/target.ts';
import { secretless } from './secretless.ts';
import {
  aboutDecision,
  aboutFacts,
  aboutObserved,
  type Members,
  members,
  numbered,
  object,
  opening,
  recordable,
  timeOf,
} from './testimony.ts';

/** What a session is, in each of its records. */
export interface Subject {
  readonly session: string;
  readonly chain: Chain;
  readonly target: string;
  readonly database: string;
  readonly role: string;
}

/**
 * Bears witness for one session: turns what happens into audit events and recording entries. With `required`
 * recording a record that cannot be written stops the operation; with `best-effort` it raises an alarm and goes on.
 */
export class Witness implements Omit<Tape, 'took'> {
  readonly #writer: EvidenceWriter;
  readonly #clock: Clock;
  readonly #subject: Subject;
  readonly #rules: RecordingRules;
  /** What stands in every event of the session. */
  readonly #about: Readonly<Record<string, string>>;
  readonly #aboutText: Members;
  readonly totals = { operations: 0, denied: 0, rows: 0 };
  /** Set by the first record that failed after its operation was forwarded; nothing more is cleared then. */
  #broken: Fault | undefined;
  /** The last write of what nobody waits for whose failure will be heard. */
  #heard: Promise<void> | undefined;

  constructor(writer: EvidenceWriter, clock: Clock, subject: Subject, rules: RecordingRules) {
    this.#writer = writer;
    this.#clock = clock;
    this.#subject = subject;
    this.#rules = rules;
    const root = rootOf(subject.chain);
    this.#about = {
      session: subject.session,
      grant: currentOf(subject.chain).id,
      principal: root.principal.id,
      target: subject.target,
      database: subject.database,
    };
    this.#aboutText = members(this.#about);
  }

  started(details: Readonly<Record<string, Json>>): Promise<void> {
    const { chain, role } = this.#subject;
    const fields = members({
      ...details,
      role,
      chain: describeChain(chain),
      path: [...currentOf(chain).path],
      agents: agentsOf(chain).map(({ id, name, kind, assurance }) => ({ id, name, kind, assurance })),
      transaction: rootOf(chain).transaction,
      purpose: chain.grants.flatMap((grant) => (grant.purpose === undefined ? [] : [grant.purpose])),
    });
    return this.#write({ type: 'session.start', kind: 'open', sequence: 0 }, [fields], [this.#aboutText, fields]);
  }

  /** `observed`: what enforcing would have said. `sent`: the text that goes on in place of the client's. */
  decided(
    operation: Operation,
    sequence: number,
    decision: Decision,
    { observed, sent }: { readonly observed?: Decision | undefined; readonly sent?: string | undefined } = {},
  ): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken);
    const { facts, text, parameters } = operation;
    const { effect } = decision;
    const about = aboutDecision(decision);
    const event = [numbered(sequence), aboutFacts(facts), about];
    const would = observed && aboutObserved(observed);
    if (would !== undefined) event.push(would);
    const asked = members({
      text: secretless(text),
      sent: sent === text || sent === undefined ? undefined : secretless(sent),
      parameters: recordable(parameters),
    });
    // What was held is decided once more.
    if (effect !== 'hold') this.totals.operations += 1;
    if (effect === 'deny') this.totals.denied += 1;
    const kind = effect === 'deny' ? 'refused' : 'asked';
    return this.#write({ type: TYPES[effect], kind, sequence }, event, [asked, about]);
  }

  /** A refusal found before the gate. */
  refused(text: string, sequence: number, denial: Denial): Promise<void> {
    this.totals.operations += 1;
    this.totals.denied += 1;
    const fields = [numbered(sequence), aboutDecision(denial)] as const;
    const asked = members({ text: secretless(text), parameters: null });
    return this.#write({ type: 'operation.denied', kind: 'refused', sequence }, fields, [asked, ...fields]);
  }

  frames(sequence: number, bytes: Uint8Array): void {
    this.#later(this.#writer.record(this.#entry('frames', sequence, this.#clock.now(), bytes), 'soon'));
  }

  done(sequence: number, outcome: Outcome): void {
    const { tag = null, error = null, rows, kept, bytes, found, duration } = outcome;
    this.totals.rows += rows;
    const fields: [Members, Members] = [
      numbered(sequence),
      members({
        tag,
        error,
        rows,
        kept,
        bytes,
        found: Object.keys(found).length > 0 ? found : undefined,
        ms: Math.round(duration * 1000) / 1000,
      }),
    ];
    this.#later(this.#write({ type: 'operation.done', kind: 'done', sequence, urgency: 'soon' }, fields, fields));
  }

  ended(cause: string): Promise<void> {
    const fields = [members({ cause, ...this.totals })] as const;
    return this.#write({ type: 'session.end', kind: 'close', sequence: 0 }, fields, fields);
  }

  #write(
    { type, kind, sequence, urgency = 'now' }: Said,
    event: readonly Members[],
    body: readonly [Members, ...Members[]],
  ): Promise<void> {
    const at = this.#clock.now();
    const text = object(opening(type, at), this.#aboutText, ...event);
    const written = this.#writer.both(text, this.#entry(kind, sequence, at, object(...body)), urgency);
    return this.#rules.mode === 'required' ? written : written.catch(() => this.#alarm());
  }

  #entry(kind: RecordingKind, sequence: number, at: number, body: Uint8Array | string): NewEntry {
    const { session, target } = this.#subject;
    return { session, target, kind, sequence, at, body };
  }

  /** For records of what already happened: nobody waits, but a failure stops what comes next. */
  #later(written: Promise<void>): void {
    if (written === this.#heard) return;
    this.#heard = written;
    written.catch((thrown: unknown) => {
      if (this.#rules.mode === 'required')
        this.#broken = new Fault('EVIDENCE_UNWRITABLE', 'a result could not be recorded', { cause: thrown });
      else this.#alarm();
    });
  }

  #alarm(): void {
    const at = timeOf(this.#clock.now());
    this.#writer.audit({ v: 1, type: 'alarm', at, ...this.#about, alarm: 'recording-lost' }).catch(() => {
      // The same writer just failed; its own alarm is in the log of the node.
    });
  }
}

interface Said {
  readonly type: AuditType;
  readonly kind: RecordingKind;
  readonly sequence: number;
  readonly urgency?: Urgency;
}

const TYPES = { permit: 'operation.cleared', hold: 'operation.held', deny: 'operation.denied' } as const;
