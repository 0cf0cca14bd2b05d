import { Fault } from '../core/fault.ts';

/** One message for every token that does not verify: what was wrong is for the log only (`reasonOf`). */
export function tokenFault(reason: string, cause?: unknown): Fault {
  return new Fault('TOKEN_INVALID', 'the token is not accepted', { cause: new Error(reason, { cause }) });
}

/** The inner reason of a fault, for audit events. Never shown to whoever is refused. */
export function reasonOf(fault: Fault): string {
  const inner = fault.cause instanceof Error ? fault.cause.message : fault.message;
  return inner.length > 300 ? `${inner.slice(0, 300)}…` : inner;
}
