import type { Decision, Reason } from './decision.ts';

/*
 * What rooms count of their own work: plain numbers, added to where the work is done and read when somebody asks. No
 * labels are looked up, nothing is allocated, nothing can fail.
 */

/** Durations counted by bucket. */
export class Durations {
  /** Upper bounds in milliseconds, ascending; what is longer than all of them is counted last. */
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  /** Milliseconds. */
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  add(milliseconds: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && milliseconds > (bounds[at] ?? 0)) at += 1;
    counts[at] = (counts[at] ?? 0) + 1;
    this.sum += milliseconds;
  }
}

/** For what a machine does. */
export const QUICK: readonly number[] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000];
/** For what people do. */
export const PATIENT: readonly number[] = [1, 5, 15, 30, 60, 120, 300, 900, 3600].map((seconds) => seconds * 1000);

/** Of one target on this worker. */
export class TargetMeasures {
  permitted = 0;
  held = 0;
  readonly denied: Map<Reason, number> = new Map();
  rows = 0;
  /** Of results, as told to clients. */
  bytes = 0;
  /** Reading a statement that was not seen before. */
  readonly parse: Durations = new Durations(QUICK);
  /** Deciding what was not decided before. */
  readonly decide: Durations = new Durations(QUICK);
  /** From an operation to its clearance or denial, records included; without those that people were asked about. */
  readonly gate: Durations = new Durations(QUICK);
  /** Masking, scanning and taking down what one read from the target brought. */
  readonly mask: Durations = new Durations(QUICK);
  /** From a hold to its answer, or to the end of patience. */
  readonly wait: Durations = new Durations(PATIENT);

  decided(decision: Decision): void {
    if (decision.effect === 'permit') this.permitted += 1;
    else if (decision.effect === 'hold') this.held += 1;
    else this.denied.set(decision.reason, (this.denied.get(decision.reason) ?? 0) + 1);
  }
}

/** Of one worker. */
export class Measures {
  readonly targets: Map<string, TargetMeasures> = new Map();
  /** Connections by how their login ended: in a session, in a refusal, in a fault of either side. */
  readonly logins: Record<'accepted' | 'refused' | 'failed', number> = { accepted: 0, refused: 0, failed: 0 };
  /** Connections closed unheard, since there were too many. */
  turnedAway = 0;
  /** From a revocation being felt to the end of the session it struck. */
  readonly ending: Durations = new Durations(QUICK);
  /** One write of evidence, as far as its callers wait for it. */
  readonly write: Durations = new Durations(QUICK);
  readonly reloads: Record<'taken' | 'refused', number> = { taken: 0, refused: 0 };

  /** `target` must be the name of a configured one: nobody else's text may become a name here. */
  of(target: string): TargetMeasures {
    const known = this.targets.get(target);
    if (known !== undefined) return known;
    const fresh = new TargetMeasures();
    this.targets.set(target, fresh);
    return fresh;
  }
}
