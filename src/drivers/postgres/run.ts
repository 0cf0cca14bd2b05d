import type { Meter } from '../../core/budget.ts';
import { type Denial, deny } from '../../core/decision.ts';
import type { StatementFacts } from '../../core/facts.ts';
import type { RowCapObligation } from '../../core/obligation.ts';
import type { Clearance } from '../../core/operation.ts';
import type { Session, Tape } from '../../core/session.ts';
import type { ResultPlan } from '../../masking/plan.ts';
import type { Rewrite } from '../../masking/rewrite.ts';

/** Bytes of results that a recording keeps of one operation, whatever the target's cap on rows. */
const MOST_KEPT_BYTES = 4 << 20;

function rowCapReached(cap: number): Denial {
  return deny('caveat', `the result has more than the ${cap} rows one statement may return; the rest was withheld`, {
    hint: 'add a LIMIT, or ask for a pass with a higher row cap',
  });
}

function budgetSpent(): Denial {
  return deny('budget-spent', 'the budget for rows of this kind is spent; the rest of the result was withheld', {
    hint: 'wait for the next hour, or ask for more',
  });
}

/** One cleared operation on its way: what came of it so far, and what has to be kept from the client. */
export class Run {
  readonly clearance: Clearance;
  /** Most rows the client may get; infinite where nothing limits them. */
  readonly cap: number;
  /** The plan of the result being relayed; undefined while none is. */
  plan: ResultPlan | undefined;
  /** Set when the rest of the result must not reach the client. */
  cut: Denial | undefined;
  rows = 0;
  error: string | undefined;

  readonly #tape: Tape;
  readonly #leaving: Rewrite;
  readonly #mostTaped: number;
  readonly #since: number;
  /** What was told and not recorded yet: copies, and behind them a stretch of what is about to leave. */
  #told: Uint8Array[] = [];
  #from = 0;
  #until = 0;
  #statement = 0;
  #tag: string | undefined;
  #bytes = 0;
  readonly #found = new Map<string, number>();
  #kept = 0;
  #keptBytes = 0;
  #full = false;
  #ended = false;

  readonly #meter: Meter | undefined;

  /** `leaving`: what is about to leave of the read at hand. */
  constructor(clearance: Clearance, session: Session, leaving: Rewrite) {
    this.clearance = clearance;
    this.#leaving = leaving;
    this.#meter = session.meter(clearance);
    this.#tape = session.tape;
    this.#mostTaped = session.target.recording.rows;
    this.#since = performance.now();
    const caps = clearance.obligations.filter((one): one is RowCapObligation => one.kind === 'rows');
    this.cap = Math.min(...caps.map((one) => one.most));
  }

  /** Facts of the statement whose answer is awaited. */
  get statement(): StatementFacts | undefined {
    return this.clearance.operation.facts.statements[this.#statement];
  }

  get copiesIn(): boolean {
    return this.clearance.operation.facts.statements.some((statement) => statement.copy?.direction === 'in');
  }

  /** What errors may not tell: details, or their message too; undefined: all may be told. */
  get terse(): 'details' | 'messages' | undefined {
    const found = this.clearance.obligations.filter((one) => one.kind === 'terse');
    if (found.length === 0) return undefined;
    return found.some((one) => one.messages) ? 'messages' : 'details';
  }

  /** Position of the statement whose answer is awaited. */
  get position(): number {
    return this.#statement;
  }

  /** Whether a result of it may be cut short: then nothing else may be in flight behind it. */
  get exclusive(): boolean {
    return (
      this.cap !== Number.POSITIVE_INFINITY ||
      this.#meter !== undefined ||
      this.clearance.obligations.some((one) => one.kind === 'detect' && one.then === 'deny')
    );
  }

  /** Whether one more row may be told, and if not, why. */
  admit(): Denial | undefined {
    if (this.rows >= this.cap) return rowCapReached(this.cap);
    return this.#meter === undefined || this.#meter.take() ? undefined : budgetSpent();
  }

  /**
   * Takes down [start, end) of what is about to leave, one frame. Rows beyond the target's cap are counted, not kept.
   * Before it leaves comes `flush` or `end`.
   */
  keep(start: number, end: number, row: boolean): void {
    if (row) this.rows += 1;
    if (!this.#takes(end - start, row)) return;
    if (start !== this.#until) {
      this.#secure();
      this.#from = start;
    }
    this.#until = end;
  }

  /** Takes down a frame that does not leave now: the client was told of its fields before. */
  keepApart(frame: Uint8Array): void {
    if (!this.#takes(frame.length, false)) return;
    this.#secure();
    this.#told.push(frame);
  }

  #takes(length: number, row: boolean): boolean {
    this.#bytes += length;
    // Once something was left out, nothing after it is kept: a recording with holes would read as one without.
    if (this.#full || (row && this.#kept >= this.#mostTaped) || this.#keptBytes + length > MOST_KEPT_BYTES) {
      this.#full = true;
      return false;
    }
    if (row) this.#kept += 1;
    this.#keptBytes += length;
    return true;
  }

  /** Copies what was kept. */
  #secure(): void {
    if (this.#until > this.#from) this.#told.push(this.#leaving.view(this.#from, this.#until).slice());
    this.#from = this.#until = 0;
  }

  /** Hands what was kept to the recording. */
  flush(): void {
    const last = this.#until > this.#from ? this.#leaving.view(this.#from, this.#until) : undefined;
    this.#from = this.#until = 0;
    if (last !== undefined) this.#told.push(last);
    const [first, second] = this.#told;
    if (first === undefined) return;
    this.#tape.frames(this.clearance.sequence, second === undefined ? first : Buffer.concat(this.#told));
    this.#told = [];
  }

  /** The server is done with one statement of it. */
  completed(tag: string): void {
    this.#tag = tag;
    this.#statement += 1;
    this.#countFinds();
    this.plan = undefined;
  }

  #countFinds(): void {
    for (const [detector, count] of this.plan?.hits ?? []) {
      this.#found.set(detector, (this.#found.get(detector) ?? 0) + count);
    }
  }

  /** Reports the outcome, once. */
  end(error?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#countFinds();
    this.flush();
    this.#tape.done(this.clearance.sequence, {
      tag: this.#tag,
      error: error ?? this.error,
      rows: this.rows,
      kept: this.#kept,
      bytes: this.#bytes,
      found: Object.fromEntries(this.#found),
      duration: performance.now() - this.#since,
    });
  }
}
