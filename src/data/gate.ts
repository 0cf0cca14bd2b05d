import { type Decision, type Denial, deny, type Hold, type Permit } from '../core/decision.ts';
import { asFault } from '../core/fault.ts';
import type { Clearance, Operation } from '../core/operation.ts';
import type { Patience } from '../core/session.ts';
import { unsendable } from './sent-text.ts';

/** What the gate asks. Each may throw or reject: a fault on the road to a decision is a denial. */
export interface GatePorts {
  /** Whether this session may clear anything at all now: alive, feed fresh, evidence writable. Waits out a pause. */
  readonly admit: () => Denial | undefined | Promise<Denial | undefined>;
  readonly decide: (operation: Operation) => Decision;
  /** Asks people: makes a request, or finds the one that was made or granted for the same before. */
  readonly ask: (operation: Operation, hold: Hold) => Promise<Asked>;
  /** Takes the operation's uses from the grants of the path, or says which is used up. */
  readonly debit: (operation: Operation, permit: Permit) => Denial | undefined | Promise<Denial | undefined>;
  /** Resolves once the record is as durable as the target wants. */
  readonly record: (operation: Operation, sequence: number, decision: Decision, sent?: string) => Promise<void>;
  /** The text to send, for what is permitted. */
  readonly spell: (operation: Operation, permit: Permit) => string;
}

/** A request for approval that was made. */
export interface Asked {
  readonly request: string;
  /** Waits for the answer, as long as the client has patience. */
  answer(patience: Patience | undefined): Promise<Denial | 'approved'>;
  /** Uses the approval: once, for exactly this. */
  redeem(hold: Hold): Promise<Permit | Denial>;
}

/**
 * Takes one operation from intent to clearance. The order is the security property: decide, record, wait if held,
 * record the outcome, and only then may bytes move. When a record cannot be written the operation is denied, so what
 * nobody can prove never reaches the target. Never rejects. Waits for nothing but the record where nothing else is
 * waited for: a turn of the promise queue costs as much as a step here.
 */
export async function clear(
  operation: Operation,
  sequence: number,
  ports: GatePorts,
  patience?: Patience,
): Promise<Clearance | Denial> {
  const settled = settle(operation, sequence, ports, patience);
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

function settle(
  operation: Operation,
  sequence: number,
  ports: GatePorts,
  patience: Patience | undefined,
): Decision | Promise<Decision> {
  return guarded(() =>
    after(
      ports.admit(),
      (barred) =>
        barred ??
        after(decided(operation, sequence, ports, patience), (decision) => {
          if (decision.effect !== 'permit') return decision;
          return after(ports.debit(operation, decision), (denial) => denial ?? decision);
        }),
    ),
  );
}

function decided(
  operation: Operation,
  sequence: number,
  ports: GatePorts,
  patience: Patience | undefined,
): Decision | Promise<Decision> {
  const decision = ports.decide(operation);
  return decision.effect === 'hold' ? answered(operation, { sequence, hold: decision }, ports, patience) : decision;
}

async function answered(
  operation: Operation,
  { sequence, hold }: { readonly sequence: number; readonly hold: Hold },
  ports: GatePorts,
  patience: Patience | undefined,
): Promise<Decision> {
  const asked = await ports.ask(operation, hold);
  await ports.record(operation, sequence, { ...hold, request: asked.request }); // a wait that left no trace never happened
  const answer = await asked.answer(patience);
  if (answer !== 'approved') return answer;
  // While people thought, anything may have become different: everything is looked at afresh.
  const barred = await ports.admit();
  if (barred !== undefined) return barred;
  const now = ports.decide(operation);
  return now.effect === 'hold' ? await asked.redeem(now) : now;
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
