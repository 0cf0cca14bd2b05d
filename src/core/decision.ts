import type { Obligation } from './obligation.ts';

/** Why a decision is what it is: a closed vocabulary, listed for users in docs/reference/contract.md. */
export type Reason =
  | 'permitted'
  | 'no-permit' // no policy permits it
  | 'forbidden' // a forbid without an approval rule
  | 'approval-required'
  | 'approval-denied'
  | 'approval-expired'
  | 'cancelled' // the client took it back while it was held
  | 'caveat' // a grant on the path does not reach this far
  | 'grant-expired'
  | 'grant-revoked'
  | 'uses-exhausted'
  | 'budget-spent' // an hourly budget of a label, or the rows of a pass, are used up
  | 'labelled-column' // a use of a labelled column that nothing permits
  | 'unreadable' // it could not be read
  | 'unresolved' // a name in it could not be resolved
  | 'unsupported' // the protocol feature is refused
  | 'policy-fault' // evaluation failed
  | 'record-fault' // it could not be recorded
  | 'feed-stale' // revocations could not be heard
  | 'barrier'; // it depends on an earlier statement of the same message

interface Decided {
  /** Ids of the policies that decided, sorted; empty when none did. */
  readonly policies: readonly string[];
}

export interface Permit extends Decided {
  readonly effect: 'permit';
  readonly obligations: readonly Obligation[];
  /** The request whose approval lifted a hold. */
  readonly approval?: string;
  /** Milliseconds since the epoch after which the decision must be made afresh; absent when time played no part. */
  readonly validUntil?: number;
}

export interface Hold extends Decided {
  readonly effect: 'hold';
  readonly obligations: readonly Obligation[];
  /** Approval rules that must all be granted. Never empty. */
  readonly rules: readonly string[];
  readonly message: string;
  /** The request that was made for it. */
  readonly request?: string;
  readonly validUntil?: number;
}

export interface Denial extends Decided {
  readonly effect: 'deny';
  readonly reason: Reason;
  /** One or two sentences for whoever is refused: what, by which policy, which right is missing. No secrets, no values. */
  readonly message: string;
  /** What to do next: the command that asks, or the policy line that would allow it. */
  readonly hint?: string;
  /** All hints, where there are several: what is missing besides; the first few. */
  readonly hints?: readonly string[];
}

/**
 * The answer to "may this chain do this operation on this resource?". There is no boolean and no empty value: a
 * decision nobody made is a type error, never an allow.
 */
export type Decision = Permit | Hold | Denial;

export function deny(
  reason: Reason,
  message: string,
  more: { policies?: readonly string[]; hint?: string } = {},
): Denial {
  const { policies = [], hint } = more;
  return hint === undefined
    ? { effect: 'deny', policies, reason, message }
    : { effect: 'deny', policies, reason, message, hint };
}

/** Deny beats hold beats permit; no answer at all is a denial. Every grant's obligations apply. */
export function combine(decisions: readonly Decision[]): Decision {
  const denials = decisions.filter((decision) => decision.effect === 'deny');
  const [denial] = denials;
  if (denial) return withHints(denial, denials);

  const grants = decisions.filter((decision) => decision.effect !== 'deny');
  if (grants.length === 0) return deny('no-permit', 'nothing covers this operation');

  const policies = [...new Set(grants.flatMap((grant) => grant.policies))].sort();
  const obligations = grants.flatMap((grant) => grant.obligations);
  const limits = grants.flatMap((grant) => (grant.validUntil === undefined ? [] : [grant.validUntil]));
  const until = limits.length > 0 ? { validUntil: Math.min(...limits) } : {};
  const holds = grants.filter((grant) => grant.effect === 'hold');
  if (holds.length === 0) return { effect: 'permit', policies, obligations, ...until };
  const rules = [...new Set(holds.flatMap((hold) => hold.rules))].sort();
  const message = [...new Set(holds.map((hold) => hold.message))].join('; ');
  return { effect: 'hold', policies, obligations, rules, message, ...until };
}

const MOST_HINTS = 10;

function withHints(denial: Denial, denials: readonly Denial[]): Denial {
  const hints = new Set(denials.flatMap((each) => each.hints ?? each.hint ?? []));
  return hints.size > 1 ? { ...denial, hints: [...hints].slice(0, MOST_HINTS) } : denial;
}
