import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { SqlFacts, StatementFacts } from '../core/facts.ts';
import { describeChain } from '../core/grant.ts';
import type { Obligation } from '../core/obligation.ts';
import type { Operation } from '../core/operation.ts';
import { resourceId } from '../core/resource.ts';
import type { CedarEngine } from '../policy/engine.ts';
import { type AskTrace, explainSql } from '../policy/explain.ts';
import type { ExplainedAsk, ExplainedColumn, ExplainedStatement, ExplainRequest, Explanation } from './ports.ts';

export interface ExplainPorts {
  readonly clock: Clock;
  readonly config: () => Config;
  readonly engine: () => CedarEngine;
  /** Reads the text as the target's own sessions would, with a fresh session's settings. Throws what a reader throws. */
  readonly facts: (
    request: Pick<ExplainRequest, 'chain' | 'target' | 'database' | 'role' | 'sql'>,
  ) => Promise<SqlFacts>;
  /** The text as it would be sent under these obligations. Throws Fault where they do not fit. */
  readonly spell: (text: string, facts: SqlFacts, obligations: readonly Obligation[]) => string;
}

/** What would be decided about a statement, and why: runs nothing, asks nobody, records nothing. */
export function explainer(ports: ExplainPorts): (request: ExplainRequest) => Promise<Explanation> {
  return async (request) => {
    const { chain, target, database, role, sql, source } = request;
    const facts = await ports.facts(request);
    const config = ports.config().targets.find((candidate) => candidate.name === target);
    const operation: Operation = {
      protocol: 'postgres',
      text: sql,
      parameters: undefined,
      facts,
      database,
      role,
      searchPath: [],
    };
    const { decision, asks } = explainSql(ports.engine(), {
      chain,
      operation,
      target: {
        name: target,
        labels: config?.labels ?? [],
        detect: config?.detect,
        budgets: config?.budgets,
        rows: config?.rows,
      },
      context: { binding: 'scram', source, now: ports.clock.now() },
    });
    const obligations = decision.effect === 'deny' ? [] : decision.obligations;
    return {
      as: describeChain(chain),
      target,
      database,
      decision,
      sent: decision.effect === 'deny' ? undefined : ports.spell(sql, facts, obligations),
      asks: asks.flatMap(present),
      statements: facts.statements.map((statement, position) => describe(statement, maskedBy(obligations, position))),
    };
  };
}

/** One line for each identity that was asked about. */
function present({ ask, steps }: AskTrace): ExplainedAsk[] {
  return steps.map(({ identity, decision }) => ({
    identity: `${identity.uid.type}::${JSON.stringify(identity.uid.id)}`,
    action: ask.action,
    resource: resourceId(ask.resource),
    labels: ask.labels,
    effect: decision.effect,
    reason: decision.effect === 'deny' ? decision.reason : undefined,
    policies: decision.policies,
  }));
}

/** What becomes of columns in one statement, in words. */
function maskedBy(obligations: readonly Obligation[], position: number): Map<string, string> {
  return new Map(
    obligations.flatMap((duty): (readonly [string, string])[] => {
      if (duty.kind === 'mask') return [[duty.column, styleOf(duty)]];
      if (duty.kind === 'redact' && duty.statement === position) return [[duty.column, 'redacted as a whole']];
      if (duty.kind !== 'source' || duty.statement !== position) return [];
      return duty.columns.map(({ column, masks }) => [column, `${masks.map(styleOf).join(', ')}, at the source`]);
    }),
  );
}

function styleOf({ style, path }: { readonly style: string; readonly path?: readonly string[] }): string {
  return path === undefined ? style : `${style} at ${path.join('.')}`;
}

function describe(statement: StatementFacts, masks: ReadonlyMap<string, string>): ExplainedStatement {
  return {
    verb: statement.verb,
    bounded: statement.bounded,
    computed: (statement.computed ?? []).map(({ position, name, from }) => {
      return { position: position + 1, name, from: from.map(resourceId) };
    }),
    uses: statement.uses.map(({ action, resource }) => ({ action, resource: resourceId(resource) })),
    columns: statement.columns.map((use): ExplainedColumn => {
      const column = resourceId(use.column);
      const labels = use.labels.map(({ label }) => label);
      const shown = use.use === 'read' || use.use === 'derive';
      return { column, use: use.use, filter: use.filter, labels, mask: shown ? masks.get(column) : undefined };
    }),
  };
}
