import type { Action } from './action.ts';
import type { Decision } from './decision.ts';
import type { Chain } from './grant.ts';
import type { Label } from './label.ts';
import type { Binding } from './login.ts';
import type { Principal } from './principal.ts';
import type { Resource } from './resource.ts';

/** One question to policy. */
export interface Ask {
  readonly action: Action;
  readonly resource: Resource;
  /** Labels on the resource and everything above it; `resource in Label::"…"` is true for each and its ancestors. */
  readonly labels: readonly Label[];
  /** What it is part of was asked and permitted already (the table of a column): only forbids count here. */
  readonly permitted?: true;
}

/** What conditions may look at besides principal, action and resource. */
export interface AskContext {
  readonly statement: StatementContext;
  readonly binding: Binding;
  /** Client address as the listener saw it. */
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** For `filter`: whether the column is only compared with constants, or decides in any way. */
  readonly filter?: 'equality' | 'any';
}

export interface StatementContext {
  readonly verb: string;
  readonly bounded: boolean;
  /** Statements in the message. */
  readonly count: number;
}

/** Decides. Pure but for its caches; safe to call on the hot path only through the gate's own cache. */
export interface PolicyEngine {
  /** Moves with every load of policies. */
  readonly epoch: number;
  /**
   * permits(root) and permits(agents with own rights) and no forbid for any identity in the chain (policy.md §1).
   * Caveats are not its business. Never throws: an evaluation that failed is a denial with reason `policy-fault`.
   */
  decide(chain: Chain, ask: Ask, context: AskContext): Decision;
  /** An action on the gateway itself (`gateway-admin`, `gateway-approve`, `gateway-audit`) by somebody acting in person. */
  decideGateway(principal: Principal, action: Action, context: AskContext): Decision;
  /** What the policies with these ids say: an approval holds for as long as they say the same. */
  wording(policies: readonly string[]): string;
  /** Whether a loaded policy names this table's columns, so that unlabelled ones must be asked about too. */
  namesColumnsOf(table: Resource): boolean;
}
