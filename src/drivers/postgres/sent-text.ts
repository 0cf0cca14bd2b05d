import { type Denial, deny } from '../../core/decision.ts';
import type { SqlFacts } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import type { Obligation, SourceObligation } from '../../core/obligation.ts';
import { maskExpression } from '../../masking/expression.ts';
import { type MaskColumn, maskAtSource } from '../../sql/postgres/mask-at-source.ts';

/** Every masked column in the text that reaches the target, spelled so that equal masks are equal; empty when none is. */
export function sourceMasks(obligations: readonly Obligation[]): string {
  const sources = sourcesOf(obligations);
  return sources.length === 0 ? '' : JSON.stringify(sources);
}

/** The text to send in place of the client's: the same where nothing is masked at the source. Throws Fault. */
export function textToSend(text: string, facts: SqlFacts, obligations: readonly Obligation[]): string {
  const sources = sourcesOf(obligations);
  return sources.length === 0 ? text : maskAtSource(text, facts, sources, maskColumn);
}

function sourcesOf(obligations: readonly Obligation[]): SourceObligation[] {
  return obligations.filter((one) => one.kind === 'source');
}

/**
 * No key goes into a text: servers log texts and show them to others, and whoever has the key can try out values. What
 * is hashed on the wire is redacted here.
 */
const maskColumn: MaskColumn = ({ type, typeName, base }, reference, { masks }) => {
  const column = { reference, type, typeName, ...(base ? { base } : {}) };
  return masks.length === 0 ? `NULL::${typeName}` : maskExpression(column, masks, { hash: false, keys: unkeyed });
};

function unkeyed(): never {
  throw new Fault('POLICY_FAILED', 'a key was asked for where none may show');
}

/** What was sent under a name shows other columns than may be seen now. Clients know the code and prepare again. */
export function outdated(): { readonly denial: Denial; readonly state: string } {
  const denial = deny('barrier', 'what may be seen has changed since this was prepared', { hint: 'prepare it again' });
  return { denial, state: '0A000' };
}
