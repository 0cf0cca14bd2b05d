import { deny } from '../../core/decision.ts';
import type { Obligation } from '../../core/obligation.ts';
import type { Refusal } from './reading.ts';

/** What is masked in the text that reaches the target, spelled so that equal masks are equal; empty when nothing is. */
export function sourceMasks(obligations: readonly Obligation[]): string {
  return spelled(obligations.filter(({ kind }) => kind === 'source'));
}

/** All that is changed in a text that is sent under a name of its own: masks, and what plans may tell. */
export function sentMasks(obligations: readonly Obligation[]): string {
  return spelled(obligations.filter(({ kind }) => kind === 'source' || kind === 'plan'));
}

function spelled(changes: readonly Obligation[]): string {
  return changes.length === 0 ? '' : JSON.stringify(changes);
}

/** What was sent under a name shows other columns than may be seen now. Clients know the code, and prepare again. */
export function outdated(): Refusal {
  const denial = deny('barrier', 'what may be seen has changed since this was prepared', { hint: 'prepare it again' });
  return { denial, state: '0A000' };
}
