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
 * nobody can prove never reaches the target. Never rejects.
 */
export async function clear(operation: Operation, sequence: number, ports: GatePorts): Promise<Clearance | Denial> {
  const { decision, sent } = spelled(operation, await settle(operation, sequence, ports), ports);
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
  const late = await ports.admit();
  if (late !== undefined) {
    // It does not run either way; the record says so where it can.
    await ports.record(operation, sequence, late).catch(() => undefined);
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

async function settle(operation: Operation, sequence: number, ports: GatePorts): Promise<Decision> {
  try {
    const barred = await ports.admit();
    if (barred !== undefined) return barred;
    let decision = ports.decide(operation);
    if (decision.effect === 'hold') {
      await ports.record(operation, sequence, decision); // a wait that left no trace never happened
      decision = await ports.outcome(operation, decision);
    }
    if (decision.effect !== 'permit') return decision;
    return (await ports.debit(operation, decision)) ?? decision;
  } catch (thrown) {
    return deny('policy-fault', `the operation could not be decided (${asFault(thrown).code})`);
  }
}
