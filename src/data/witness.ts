import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Decision, Denial } from '../core/decision.ts';
import type { AuditEvent, AuditType, EvidenceWriter, Json, RecordingKind, Urgency } from '../core/evidence.ts';
import type { SqlFacts } from '../core/facts.ts';
import { Fault } from '../core/fault.ts';
import { agentsOf, type Chain, currentOf, describeChain, rootOf } from '../core/grant.ts';
import type { Operation, Parameter } from '../core/operation.ts';
import { resourceId } from '../core/resource.ts';
import type { Outcome, Tape } from '../core/session.ts';
import type { RecordingRules } from '../core/target.ts';

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
export class Witness implements Tape {
  readonly #writer: EvidenceWriter;
  readonly #clock: Clock;
  readonly #subject: Subject;
  readonly #rules: RecordingRules;
  readonly #about: Readonly<Record<string, Json>>;
  readonly totals = { operations: 0, denied: 0, rows: 0 };
  /** Set by the first record that failed after its operation was forwarded; nothing more is cleared then. */
  #broken: Fault | undefined;

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
  }

  async started(details: Readonly<Record<string, Json>>): Promise<void> {
    const { chain, role } = this.#subject;
    const fields = {
      ...details,
      role,
      chain: describeChain(chain),
      path: [...currentOf(chain).path],
      agents: agentsOf(chain).map(({ id, name, kind, assurance }) => ({ id, name, kind, assurance })),
      transaction: rootOf(chain).transaction,
      purpose: chain.grants.flatMap((grant) => (grant.purpose === undefined ? [] : [grant.purpose])),
    };
    await this.#both('session.start', 'open', 0, fields, { ...this.#about, ...fields });
  }

  /** `observed`: what enforcing would have said. `sent`: the text that goes on in place of the client's. */
  async decided(
    operation: Operation,
    sequence: number,
    decision: Decision,
    { observed, sent }: { readonly observed?: Decision | undefined; readonly sent?: string | undefined } = {},
  ): Promise<void> {
    if (this.#broken) throw this.#broken;
    const { facts, text, parameters } = operation;
    const fields: Record<string, Json> = {
      seq: sequence,
      ...aboutFacts(facts),
      decision: decision.effect,
      policies: [...decision.policies],
      ...(decision.effect === 'deny' ? { reason: decision.reason, message: decision.message } : {}),
      ...(decision.effect === 'hold' ? { rules: [...decision.rules] } : {}),
      ...(decision.effect === 'permit' ? { masked: masked(decision) } : {}),
      ...(observed === undefined || observed.effect === 'permit'
        ? {}
        : { would: observed.effect, would_policies: [...observed.policies] }),
    };
    this.totals.operations += 1;
    if (decision.effect === 'deny') this.totals.denied += 1;
    const type =
      decision.effect === 'permit'
        ? 'operation.cleared'
        : decision.effect === 'hold'
          ? 'operation.held'
          : 'operation.denied';
    const kind = decision.effect === 'deny' ? 'refused' : 'asked';
    await this.#both(type, kind, sequence, fields, {
      text,
      ...(sent === undefined || sent === text ? {} : { sent }),
      parameters: parameters === undefined ? null : recordable(parameters),
      decision: decision.effect,
      policies: [...decision.policies],
      ...(decision.effect === 'deny' ? { reason: decision.reason, message: decision.message } : {}),
      ...(decision.effect === 'permit' ? { masked: masked(decision) } : {}),
    });
  }

  /** A refusal found before the gate. */
  async refused(text: string, sequence: number, denial: Denial): Promise<void> {
    this.totals.operations += 1;
    this.totals.denied += 1;
    const { reason, message } = denial;
    const fields = { seq: sequence, decision: 'deny', policies: [...denial.policies], reason, message };
    await this.#both('operation.denied', 'refused', sequence, fields, { text, parameters: null, ...fields });
  }

  frames(sequence: number, bytes: Uint8Array): void {
    this.#later(this.#entry('frames', sequence, bytes, 'soon'));
  }

  done(sequence: number, outcome: Outcome): void {
    this.totals.rows += outcome.rows;
    const fields: Record<string, Json> = {
      seq: sequence,
      tag: outcome.tag ?? null,
      error: outcome.error ?? null,
      rows: outcome.rows,
      kept: outcome.kept,
      bytes: outcome.bytes,
      ...(Object.keys(outcome.found).length > 0 ? { found: { ...outcome.found } } : {}),
      ms: Math.round(outcome.duration * 1000) / 1000,
    };
    this.#later(this.#write({ type: 'operation.done', kind: 'done', sequence, urgency: 'soon' }, fields, fields));
  }

  async ended(cause: string): Promise<void> {
    const fields = { cause, ...this.totals };
    await this.#both('session.end', 'close', 0, fields, fields);
  }

  #both(type: AuditType, kind: RecordingKind, sequence: number, fields: Fields, body: Json): Promise<void> {
    return this.#write({ type, kind, sequence, urgency: 'now' }, fields, body);
  }

  async #write(
    {
      type,
      kind,
      sequence,
      urgency,
    }: { readonly type: AuditType; readonly kind: RecordingKind; readonly sequence: number; readonly urgency: Urgency },
    fields: Fields,
    body: Json,
  ): Promise<void> {
    const event: AuditEvent = { v: 1, type, at: new Date(this.#clock.now()).toISOString(), ...this.#about, ...fields };
    const writes = [
      this.#writer.audit(event, urgency),
      this.#entry(kind, sequence, encoder.encode(JSON.stringify(body)), urgency),
    ];
    const results = await Promise.allSettled(writes);
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return;
    if (this.#rules.mode === 'required') throw failure.reason;
    this.#alarm();
  }

  #entry(kind: RecordingKind, sequence: number, body: Uint8Array, urgency: Urgency): Promise<void> {
    const { session, target } = this.#subject;
    return this.#writer.record({ session, target, kind, sequence, at: this.#clock.now(), body }, urgency);
  }

  /** For records of what already happened: nobody waits, but a failure stops what comes next. */
  #later(write: Promise<void>): void {
    write.catch((thrown: unknown) => {
      if (this.#rules.mode === 'required')
        this.#broken = new Fault('EVIDENCE_UNWRITABLE', 'a result could not be recorded', { cause: thrown });
      else this.#alarm();
    });
  }

  #alarm(): void {
    const at = new Date(this.#clock.now()).toISOString();
    this.#writer.audit({ v: 1, type: 'alarm', at, ...this.#about, alarm: 'recording-lost' }).catch(() => {
      // The same writer just failed; its own alarm is in the log of the node.
    });
  }
}

type Fields = Readonly<Record<string, Json>>;

const encoder = new TextEncoder();

function masked(decision: Extract<Decision, { effect: 'permit' }>): string[] {
  return decision.obligations.flatMap((obligation) => {
    switch (obligation.kind) {
      case 'mask':
        return [`${obligation.column} ${obligation.style}`];
      case 'redact':
        return [`${obligation.column} whole`];
      case 'source':
        return obligation.columns.map(({ column, masks }) => `${column} source ${masks.map(styleOf).join(' ')}`);
      default:
        return [];
    }
  });
}

function styleOf({ style, path }: { readonly style: string; readonly path?: readonly string[] }): string {
  return path === undefined ? style : `${path.join('.')}:${style}`;
}

/** Characters and bytes of parameters that one entry holds; what goes beyond is recorded by its digest. */
const MOST_PARAMETERS = 1 << 20;

function recordable(parameters: readonly Parameter[]): Json[] {
  let left = MOST_PARAMETERS;
  return parameters.map((parameter): Json => {
    if (parameter === null) return null;
    left -= parameter.length;
    if (left < 0) return { length: parameter.length, sha256: createHash('sha256').update(parameter).digest('hex') };
    return typeof parameter === 'string' ? parameter : { base64: Buffer.from(parameter).toString('base64') };
  });
}

const described = new WeakMap<SqlFacts, Fields>();

/** What an event says of the facts: the same for every run of a text, so it is put together once. */
function aboutFacts(facts: SqlFacts): Fields {
  const known = described.get(facts);
  if (known !== undefined) return known;
  const uses = facts.statements.flatMap((statement) => statement.uses);
  const about = {
    verbs: facts.statements.map((statement) => statement.verb),
    resources: [...new Set(uses.map((use) => `${use.action} ${resourceId(use.resource)}`))],
    fingerprint: facts.fingerprint,
    statement: facts.normalised,
  };
  described.set(facts, about);
  return about;
}
