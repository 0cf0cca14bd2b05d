import type { BudgetRule, Meter } from '../core/budget.ts';
import type { Clock } from '../core/clock.ts';
import { type Decision, type Denial, deny, type Hold } from '../core/decision.ts';
import type { SqlFacts, SqlReader } from '../core/facts.ts';
import { type Chain, currentOf, rootOf } from '../core/grant.ts';
import type { Label } from '../core/label.ts';
import type { TargetMeasures } from '../core/measures.ts';
import type { Obligation } from '../core/obligation.ts';
import type { Clearance, Operation } from '../core/operation.ts';
import type { PolicyEngine } from '../core/policy.ts';
import type { Ending, Foreseen, Lease, Outcome, Patience, Session, Tape } from '../core/session.ts';
import type { Target } from '../core/target.ts';
import { type DetectRules, decideSql } from '../policy/statement.ts';
import type { Budgets, Spender } from './budgets.ts';
import { type Asked, clear, type GatePorts } from './gate.ts';
import type { Strikable } from './registry.ts';
import { endingOf, type Revocations, SILENT } from './revocations.ts';
import { textToSend, unsendable } from './sent-text.ts';
import type { Witness } from './witness.ts';

/** What a live session is made of. */
export interface SessionParts {
  readonly id: string;
  readonly chain: Chain;
  readonly target: Target;
  readonly database: string;
  readonly role: string;
  readonly binding: 'certificate' | 'channel' | 'scram' | 'bearer' | 'local';
  readonly source: string;
  readonly limits: Limits;
  readonly tag: string;
  readonly strikables: readonly Strikable[];
}

export interface SessionPorts {
  readonly clock: Clock;
  readonly engine: PolicyEngine;
  readonly reader: SqlReader;
  readonly revocations: Revocations;
  readonly witness: Witness;
  readonly measures: TargetMeasures;
  readonly budgets: Budgets;
  readonly debit: (path: readonly string[], count: number) => Promise<{ readonly exhausted: string } | 'debited'>;
  readonly ask: (session: LiveSession, operation: Operation, hold: Hold) => Promise<Asked>;
  readonly lease: (session: LiveSession) => Promise<Lease>;
  readonly hasher: (label: Label) => (bytes: Uint8Array) => Uint8Array;
  readonly ended: (session: LiveSession, cause: string) => Promise<void>;
}

/** What a target asks of every statement besides policy. */
export interface Limits {
  readonly detect: DetectRules | undefined;
  readonly budgets: readonly BudgetRule[];
  /** Most rows of one result. */
  readonly rows: number | undefined;
}

interface Remembered {
  readonly epoch: number;
  readonly decision: Decision;
  readonly observed: Decision | undefined;
  readonly until: number;
}

const SECOND = 1000;
/** Sessions are told this long before their rights end. */
const WARNING = 60 * SECOND;
/** setTimeout takes no longer spans. */
const MAX_TIMER = 2 ** 31 - 1;

/** One authorised span of use of one target by one chain, on this worker. */
export class LiveSession implements Session {
  readonly id: string;
  readonly chain: Chain;
  readonly target: Target;
  readonly database: string;
  readonly role: string;
  readonly tag: string;
  readonly signal: AbortSignal;

  readonly #parts: SessionParts;
  readonly #ports: SessionPorts;
  readonly #controller = new AbortController();
  readonly #gate: GatePorts;
  /** People were asked about the operation at hand: how long that takes says nothing of the gate. */
  #asked = false;
  #stoppedAt: number | undefined;
  readonly #decisions = new WeakMap<SqlFacts, Remembered>();
  /** The epoch that operations are cleared in, and the first of them. */
  #epoch = { number: Number.NaN, first: 0 };
  /** Epochs in which what was cleared in an earlier one was found to hold. */
  readonly #renewed = new WeakMap<Clearance, number>();
  readonly #expires: number;
  readonly #bound: boolean;
  readonly #finite: boolean;
  readonly #timers: NodeJS.Timeout[];
  #notice: ((message: string) => void) | undefined;
  #pause: ((paused: boolean) => void) | undefined;
  #sequence = 0;
  #ended: Promise<void> | undefined;

  constructor(parts: SessionParts, ports: SessionPorts) {
    this.id = parts.id;
    this.chain = parts.chain;
    this.target = parts.target;
    this.database = parts.database;
    this.role = parts.role;
    this.tag = parts.tag;
    this.signal = this.#controller.signal;
    this.#parts = parts;
    this.#ports = ports;
    const { grants } = parts.chain;
    this.#expires = Math.min(...grants.map((grant) => grant.expires));
    this.#bound = grants.some((grant) => grant.caveats.scopes?.some((scope) => scope.statement !== undefined) ?? false);
    this.#finite = grants.some((grant) => grant.uses !== undefined);
    this.#gate = {
      admit: () => this.#admit(),
      decide: (operation) => this.#decide(operation).decision,
      ask: (operation, hold) => this.#ask(operation, hold),
      debit: (operation, { obligations }) => this.#debit(operation, obligations),
      record: (operation, sequence, decision, sent) => {
        ports.measures.decided(decision);
        return ports.witness.decided(operation, sequence, decision, {
          observed: this.#decisions.get(operation.facts)?.observed,
          sent,
        });
      },
      spell: ({ text, facts }, { obligations }) => textToSend(text, facts, obligations),
    };
    this.#timers = this.#startTimers();
  }

  get reader(): SqlReader {
    return this.#ports.reader;
  }

  get tape(): Tape {
    return this;
  }

  frames(sequence: number, bytes: Uint8Array): void {
    this.#ports.witness.frames(sequence, bytes);
  }

  done(sequence: number, outcome: Outcome): void {
    const { measures, witness } = this.#ports;
    measures.rows += outcome.rows;
    measures.bytes += outcome.bytes;
    witness.done(sequence, outcome);
  }

  took(milliseconds: number): void {
    this.#ports.measures.mask.add(milliseconds);
  }

  async clear(operation: Operation, patience?: Patience): Promise<Clearance | Denial> {
    const { engine, clock, measures } = this.#ports;
    const began = clock.monotonic();
    this.#sequence += 1;
    const { epoch } = engine;
    if (epoch !== this.#epoch.number) this.#epoch = { number: epoch, first: this.#sequence };
    this.#asked = false;
    const cleared = await clear(operation, this.#sequence, this.#gate, patience);
    if (!this.#asked) measures.gate.add(clock.monotonic() - began);
    return cleared;
  }

  async #ask(operation: Operation, hold: Hold): Promise<Asked> {
    const { ask, clock, measures } = this.#ports;
    this.#asked = true;
    const asked = await ask(this, operation, hold);
    return {
      request: asked.request,
      redeem: (again) => asked.redeem(again),
      answer: async (patience) => {
        const began = clock.monotonic();
        try {
          return await asked.answer(patience);
        } finally {
          measures.wait.add(clock.monotonic() - began);
        }
      },
    };
  }

  foresee(operation: Operation): Denial | Foreseen {
    const { decision } = this.#decide(operation);
    const { text, facts } = operation;
    if (decision.effect === 'deny') return this.#bound ? { obligations: [], sent: text } : decision; // Bind may know more
    try {
      return { obligations: decision.obligations, sent: textToSend(text, facts, decision.obligations) };
    } catch (thrown) {
      return unsendable(thrown);
    }
  }

  stillClear(clearance: Clearance): true | Denial {
    const barred = this.#ports.revocations.silent ? deny('feed-stale', SILENT) : this.#barred();
    if (barred !== undefined) return barred;
    const { epoch } = this.#ports.engine;
    const { number, first } = this.#epoch;
    if (number === epoch && clearance.sequence >= first) return true;
    if (this.#renewed.get(clearance) === epoch) return true;
    const denial = this.#refusal(clearance.operation);
    if (denial !== undefined) return denial;
    this.#renewed.set(clearance, epoch);
    return true;
  }

  meter({ obligations }: Clearance): Meter | undefined {
    return this.#observed ? undefined : this.#ports.budgets.meter(this.#spender, obligations);
  }

  async refused(text: string, denial: Denial): Promise<void> {
    this.#sequence += 1;
    this.#ports.measures.decided(denial);
    await this.#ports.witness.refused(text, this.#sequence, denial);
  }

  hasher(label: Label): (bytes: Uint8Array) => Uint8Array {
    return this.#ports.hasher(label);
  }

  lease(): Promise<Lease> {
    return this.#ports.lease(this);
  }

  onNotice(tell: (message: string) => void): void {
    this.#notice = tell;
  }

  onPause(tell: (paused: boolean) => void): void {
    this.#pause = tell;
  }

  /** Whether results may be passed on; its driver hears it through `onPause`. */
  pause(paused: boolean): void {
    this.#pause?.(paused);
  }

  /** Ends the session from outside; its driver hears it through `signal`. */
  stop(ending: Ending): void {
    if (this.signal.aborted) return;
    this.#stoppedAt = this.#ports.clock.monotonic();
    this.#controller.abort(ending);
  }

  /** Milliseconds since it was ended from outside; undefined when it was not. */
  get stopping(): number | undefined {
    return this.#stoppedAt === undefined ? undefined : this.#ports.clock.monotonic() - this.#stoppedAt;
  }

  end(cause: string): Promise<void> {
    this.#ended ??= this.#finish(cause);
    return this.#ended;
  }

  async #finish(cause: string): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const ending = this.signal.aborted ? (this.signal.reason as Ending).cause : cause;
    await this.#ports.ended(this, ending);
  }

  #refusal(operation: Operation): Denial | undefined {
    const { decision } = this.#decide(operation);
    return decision.effect === 'deny' ? decision : undefined;
  }

  #decide(operation: Operation): Remembered {
    const { engine, clock } = this.#ports;
    const now = clock.now();
    const known = this.#decisions.get(operation.facts);
    if (known !== undefined && known.epoch === engine.epoch && now < known.until) return known;
    const { target, binding, source, limits, chain } = this.#parts;
    const { name, labels } = target;
    const began = clock.monotonic();
    const found = decideSql(engine, {
      chain,
      operation,
      target: { name, labels, ...limits },
      context: { binding, source, now },
    });
    this.#ports.measures.decide.add(clock.monotonic() - began);
    const observing = target.mode === 'observe';
    const decision = observing ? found.observed : found.decision;
    const until = decision.effect === 'deny' ? undefined : decision.validUntil;
    const remembered = {
      epoch: engine.epoch,
      decision,
      observed: observing ? found.decision : undefined,
      until: until ?? Number.POSITIVE_INFINITY,
    };
    // What a single statement is bound to depends on its parameters; a hold is somebody's answer, not ours to keep.
    const lasting = !this.#bound && decision.effect !== 'hold';
    this.#decisions.set(operation.facts, lasting ? remembered : { ...remembered, until: 0 });
    return remembered;
  }

  #admit(): Denial | undefined | Promise<Denial | undefined> {
    const fresh = this.#ports.revocations.fresh();
    if (!(fresh instanceof Promise)) return fresh ?? this.#barred();
    return fresh.then((denial) => denial ?? this.#barred());
  }

  #barred(): Denial | undefined {
    if (this.signal.aborted) {
      const ending = this.signal.reason as Ending;
      return deny(ending.cause === 'expired' ? 'grant-expired' : 'grant-revoked', ending.message);
    }
    if (this.#ports.clock.now() >= this.#expires) return deny('grant-expired', 'the pass has expired');
    const revocation = this.#ports.revocations.struck(this.#parts.strikables);
    return revocation === undefined ? undefined : deny('grant-revoked', endingOf(revocation).message);
  }

  #debit(operation: Operation, obligations: readonly Obligation[]): Denial | undefined | Promise<Denial | undefined> {
    const budgeted = obligations.some(({ kind }) => kind === 'budget' || kind === 'total-rows') && !this.#observed;
    if (!budgeted) return this.#debitUses(operation);
    return this.#ports.budgets.debit(this.#spender, operation, obligations).then(async (denial) => {
      return denial ?? (await this.#debitUses(operation));
    });
  }

  get #observed(): boolean {
    return this.target.mode === 'observe';
  }

  get #spender(): Spender {
    return { principal: rootOf(this.chain).principal.id, target: this.target.name };
  }

  #debitUses(operation: Operation): Denial | undefined | Promise<Denial | undefined> {
    if (!this.#finite) return undefined;
    const uses = operation.facts.statements.filter((statement) => !statement.free).length;
    if (uses === 0) return undefined;
    const { path } = currentOf(this.chain);
    return this.#ports.debit(path, uses).then((answer) => {
      if (answer === 'debited') return undefined;
      const whose = this.chain.grants.find((grant) => grant.id === answer.exhausted);
      return deny('uses-exhausted', `the pass of ${whose?.agent?.name ?? 'its holder'} has no uses left for this`, {
        hint: 'ask for a new pass with more uses',
      });
    });
  }

  #startTimers(): NodeJS.Timeout[] {
    const left = this.#expires - this.#ports.clock.now();
    const expire = () => this.stop({ cause: 'expired', message: 'the pass has expired' });
    const warn = () => this.#notice?.('the pass this session runs on expires in 60 seconds');
    const later = (run: () => void, after: number) => setTimeout(run, Math.min(Math.max(0, after), MAX_TIMER)).unref();
    return left > WARNING ? [later(expire, left), later(warn, left - WARNING)] : [later(expire, left)];
  }
}
