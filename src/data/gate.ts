import { type Decision, type Denial, deny, type Hold, type Permit } from '../core/decision.ts';
import { asFault } from '../core/fault.ts';
import type { Clearance, Operation } from '../core/operation.ts';
import { unsendable } from './sent-text.ts';

/** What the gate asks. Each may throw or reject: a fault on the road to a decision is a denial. */
export interface GatePorts {
  /** Whether this session may clear anything at all now: alive, feed fresh, evidence writable. Waits out a pause. */
  readonly admit: () => Denial | undefined | Promise<Denial | undefined>;
  readonly decide: (operation: Operation) => Decision;
  /** Waits for people. The answer is a permit or a denial. */
  readonly outcome: (operation: Operation, hold: Hold) => Promise<Decision>;
  /** Takes the operation's uses from the grants of the path, or says which is used up. */
  readonly debit: (operation: Operation, permit: Permit) => Denial | undefined | Promise<Denial | undefined>;
  /** Resolves once the record is as durable as the target wants. */
  readonly record: (operation: Operation, sequence: number, decision: Decision, sent?: string) => Promise<void>;
  /** The text to send, for what is permitted. */
  readonly spell: (operation: Operation, permit: Permit) => string;
}

/**
 * Takes one operation from intent to clearance. The order is the security property: decide, record, wait if held,
 * record the outcome, and only then may bytes move. When a record cannot be written the operation is denied, so what
 * nobody can prove never reaches the target. Never rejects. Waits for nothing but the record where nothing else is
 * waited for: a turn of the promise queue costs as much as a step here.
 */
export async function clear(operation: Operation, sequence: number, ports: GatePorts): Promise<Clearance | Denial> {
  const settled = settle(operation, sequence, ports);
  const { decision, sent } = spelled(operation, settled instanceof Promise ? await settled : settled, ports);
  try {
    await ports.record(operation, sequence, decision, sent);
  } catch (thrown) {
    return deny('record-fault', `the operation could not be recorded (${asFault(thrown).code}), so it was not run`);
  }
  if (decision.effect === 'deny') return decision;
  if (decision.effect === 'hold' || sent === undefined) {
    return deny('policy-fault', 'the hold was left without an answer');
  }
  // Recording took time, in which the chain may have been cut.
  const admitted = guarded(ports.admit);
  const late = admitted instanceof Promise ? await admitted : admitted;
  if (late !== undefined) {
    // It does not run either way; the record says so where it can.
    await guarded(() => ports.record(operation, sequence, late));
    return late;
  }
  return { operation, sequence, obligations: decision.obligations, sent } as Clearance; // the one place; floors.test.ts counts
}

function spelled(
  operation: Operation,
  decision: Decision,
  ports: GatePorts,
): { readonly decision: Decision; readonly sent?: string } {
  if (decision.effect !== 'permit') return { decision };
  try {
    return { decision, sent: ports.spell(operation, decision) };
  } catch (thrown) {
    return { decision: unsendable(thrown) };
  }
}

function settle(operation: Operation, sequence: number, ports: GatePorts): Decision | Promise<Decision> {
  return guarded(() =>
    after(
      ports.admit(),
      (barred) =>
        barred ??
        after(decided(operation, sequence, ports), (decision) => {
          if (decision.effect !== 'permit') return decision;
          return after(ports.debit(operation, decision), (denial) => denial ?? decision);
        }),
    ),
  );
}

function decided(operation: Operation, sequence: number, ports: GatePorts): Decision | Promise<Decision> {
  const decision = ports.decide(operation);
  return decision.effect === 'hold' ? answered(operation, sequence, decision, ports) : decision;
}

async function answered(operation: Operation, sequence: number, hold: Hold, ports: GatePorts): Promise<Decision> {
  await ports.record(operation, sequence, hold); // a wait that left no trace never happened
  return await ports.outcome(operation, hold);
}

/** Goes on at once where there is nothing to wait for. */
function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

function guarded<T>(step: () => T | Promise<T>): T | Denial | Promise<T | Denial> {
  try {
    const answer = step();
    return answer instanceof Promise ? answer.catch(undecided) : answer;
  } catch (thrown) {
    return undecided(thrown);
  }
}

function undecided(thrown: unknown): Denial {
  return deny('policy-fault', `the operation could not be decided (${asFault(thrown).code})`);
}
