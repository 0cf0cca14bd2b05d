import { type Denial, deny } from '../core/decision.ts';
import type { SqlFacts } from '../core/facts.ts';
import { asFault } from '../core/fault.ts';
import type { Obligation } from '../core/obligation.ts';
import { maskExpression } from '../masking/expression.ts';
import { type MaskColumn, maskAtSource } from '../sql/postgres/mask-at-source.ts';

/**
 * The text that goes to the target: the client's own, but for relations that obligations mask at the source. What runs
 * by name (EXECUTE, FETCH) was sent before. Throws Fault where facts and obligations do not fit.
 */
export function textToSend(text: string, facts: SqlFacts, obligations: readonly Obligation[]): string {
  const sources = obligations.filter((one) => one.kind === 'source');
  const explained = obligations.filter((one) => one.kind === 'plan').map(({ statement }) => statement);
  if (sources.length === 0 && explained.length === 0) return text;
  const last = lastOf.get(obligations);
  if (last?.text === text && last.facts === facts) return last.sent;
  const byName = facts.statements.some(({ names }) => names?.kind === 'execute' || names?.kind === 'fetch');
  const sent = maskAtSource(text, { facts, obligations: byName ? [] : sources, explained }, maskColumn);
  lastOf.set(obligations, { text, facts, sent });
  return sent;
}

/** Why something cannot be sent: what may not be seen cannot be masked in it. */
export function unsendable(thrown: unknown): Denial {
  const { code, message } = asFault(thrown);
  const why = code === 'POLICY_FAILED' ? message : code;
  return deny('policy-fault', `what may not be seen cannot be masked in it: ${why}`);
}

/** Decisions are remembered, and mostly asked about the same text again: when it is prepared, bound, explained. */
const lastOf = new WeakMap<readonly Obligation[], { text: string; facts: SqlFacts; sent: string }>();

const maskColumn: MaskColumn = ({ type, typeName, base }, reference, masks) => {
  return maskExpression({ reference, type, typeName, ...(base ? { base } : {}) }, masks);
};
