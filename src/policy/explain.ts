import type { Decision } from '../core/decision.ts';
import type { Chain } from '../core/grant.ts';
import type { Ask, AskContext, PolicyEngine } from '../core/policy.ts';
import type { CedarEngine, IdentityStep } from './engine.ts';
import { decideSql, type SqlDecision, type SqlQuestion } from './statement.ts';

/** One question the walk asked policy, and who answered what. */
export interface AskTrace {
  readonly ask: Ask;
  readonly decision: Decision;
  readonly steps: readonly IdentityStep[];
}

export interface SqlExplanation extends SqlDecision {
  /** In the order asked; a question asked twice stands once. What a caveat took away was never asked. */
  readonly asks: readonly AskTrace[];
}

/** The decision a message would get, and every step to it. Runs nothing and records nothing. */
export function explainSql(engine: CedarEngine, question: SqlQuestion): SqlExplanation {
  const asks = new Map<string, AskTrace>();
  const tracing: PolicyEngine = {
    epoch: engine.epoch,
    decideGateway: (principal, action, context) => engine.decideGateway(principal, action, context),
    wording: (policies) => engine.wording(policies),
    namesColumnsOf: (table) => engine.namesColumnsOf(table),
    decide: (chain: Chain, ask: Ask, context: AskContext): Decision => {
      const decision = engine.decide(chain, ask, context);
      asks.set(JSON.stringify(ask), { ask, decision, steps: engine.trace(chain, ask, context) });
      return decision;
    },
  };
  const decided = decideSql(tracing, question);
  return { ...decided, asks: [...asks.values()] };
}
