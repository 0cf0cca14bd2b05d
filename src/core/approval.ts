import type { AgentSummary } from './agent.ts';
import type { PrincipalId } from './principal.ts';

/** Whom a hold waits for, as an operator wrote it. Policies name it: `@approval("dba-oncall")`. */
export interface ApprovalRule {
  readonly name: string;
  /** All must be satisfied, by different people. */
  readonly steps: readonly ApprovalStep[];
  /** `delegator`: the root user confirms what an agent asks in their name. A confirmation, no second pair of eyes. */
  readonly confirm: 'delegator' | undefined;
  /** Seconds a request stays open, and what was approved stays usable. */
  readonly expires: number;
  /** After so many seconds these groups may answer as well, in every step. */
  readonly escalate: { readonly after: number; readonly groups: readonly string[] } | undefined;
  /** People who may approve alone, also what they ask for themselves; loudly, and reviewed after. */
  readonly breakGlass: readonly PrincipalId[];
  /** What an approver may choose besides `once`. */
  readonly scopes: readonly Exclude<ApprovalScope, 'once'>[];
}

export interface ApprovalStep {
  readonly groups: readonly string[];
  readonly people: readonly PrincipalId[];
  /** The manager of the root user, as their identity provider says, sits with these. */
  readonly manager: boolean;
  /** How many different people; `all`: every one of `people`, the manager, and one of each of `groups`. */
  readonly need: number | 'all';
}

/**
 * `once`: this statement, one time. `session`: this statement, in this session. `fingerprint`: statements that differ
 * in literals only, which read and do nothing else. `window`: whatever the same policies hold for the same chain in
 * the same database. The last three until the request expires.
 */
export type ApprovalScope = 'once' | 'session' | 'fingerprint' | 'window';

/** What a request is about, for people. Nothing in it that masks would hide. */
export interface AskedEffect {
  readonly target: string;
  readonly database: string;
  readonly role: string;
  /** As an approver may see it: without its literals where labelled columns or detectors are concerned. */
  readonly statement: string;
  readonly parameters: readonly string[] | undefined;
  readonly verbs: readonly string[];
  readonly resources: readonly string[];
  readonly labels: readonly string[];
  /** Why it was held. */
  readonly message: string;
  readonly policies: readonly string[];
  readonly isRead: boolean;
  /** Rows it reads or changes, as the target's planner guesses; absent where it was not asked. */
  readonly estimate?: number;
}

export interface Asker {
  readonly principal: { readonly id: PrincipalId; readonly name: string; readonly manager?: PrincipalId };
  readonly agents: readonly AgentSummary[];
  /** As `describeChain` says. */
  readonly chain: string;
  readonly grant: string;
  readonly transaction: string;
  readonly purpose: readonly string[];
  /** Undefined: asked ahead of time. */
  readonly session: string | undefined;
}

export type Verdict = 'approve' | 'deny' | 'break-glass';

export interface Answer {
  readonly by: { readonly id: PrincipalId; readonly name: string; readonly groups: readonly string[] };
  readonly verdict: Verdict;
  readonly reason: string;
  readonly scope: ApprovalScope;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly at: number;
}

export type ApprovalState = 'waiting' | 'approved' | 'denied' | 'withdrawn' | 'used' | 'expired';

/** One request for an answer. Every change of it is a new value (approvals/request.ts). */
export interface ApprovalRequest {
  readonly id: string;
  readonly asker: Asker;
  readonly effect: AskedEffect;
  /** Rules as they were when it was asked; all must be granted. Never empty. */
  readonly rules: readonly ApprovalRule[];
  /** SHA-256 of the exact effect, hex (approvals/digest.ts). */
  readonly digest: string;
  /** The same without literals and parameters; undefined where it does more than read. */
  readonly alike: string | undefined;
  /** The same without anything of the statement. */
  readonly around: string;
  readonly state: ApprovalState;
  readonly answers: readonly Answer[];
  readonly createdAt: number;
  /** Until then it can be answered, and once approved, used. */
  readonly expiresAt: number;
  /** Given once it is approved: the narrowest that an approver chose. */
  readonly scope: ApprovalScope;
  readonly uses: number;
  /** Somebody broke glass and nobody has looked at it since. */
  readonly reviewDue: boolean;
}
