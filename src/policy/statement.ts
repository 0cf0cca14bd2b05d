import { ACTIONS, type Action } from '../core/action.ts';
import type { BudgetRule } from '../core/budget.ts';
import { combine, type Decision, type Denial, deny, type Permit } from '../core/decision.ts';
import type { ColumnUse, StatementFacts } from '../core/facts.ts';
import { agentsOf, type Chain } from '../core/grant.ts';
import type { Label } from '../core/label.ts';
import type { Binding } from '../core/login.ts';
import type { DetectObligation, Obligation } from '../core/obligation.ts';
import type { Operation } from '../core/operation.ts';
import type { Ask, AskContext, PolicyEngine } from '../core/policy.ts';
import { budgetsOf, type Drawing, totalsOf } from './budgets.ts';
import { coversPlainStatement, coversThing, rowCap } from './caveats.ts';
import { type Answer, actionsOn, type Judgement, judge, type UsedTable, usedTables } from './columns.ts';
import { ruleOnLabelled } from './labelled.ts';
import type { Asked } from './reach.ts';

/** One SQL message, before anybody decided about it. */
export interface SqlQuestion {
  readonly chain: Chain;
  readonly operation: Operation;
  readonly target: {
    readonly name: string;
    readonly labels: readonly Label[];
    readonly detect?: DetectRules | undefined;
    readonly budgets?: readonly BudgetRule[] | undefined;
    /** Most rows of one result. */
    readonly rows?: number | undefined;
  };
  readonly context: { readonly binding: Binding; readonly source: string; readonly now: number };
}

/** What detectors look for on a target, and what happens then: to people in person, and to chains with an agent. */
export interface DetectRules {
  readonly detectors: readonly string[];
  /** RE2 patterns of those that the operator wrote, by name. */
  readonly patterns?: Readonly<Record<string, string>>;
  readonly people: DetectObligation['then'];
  readonly agents: DetectObligation['then'];
}

export interface SqlDecision {
  readonly decision: Decision;
  /**
   * The same where the target is only observed: missing permits, holds and labelled columns are let pass (masks stay);
   * guardrails, caveats and faults still deny.
   */
  readonly observed: Permit | Denial;
}

/**
 * Policy and caveats over everything one message does (policy.md §1, §3): every statement, every use, every column.
 * One denial denies the message, else one hold holds it. Nothing here is remembered; the engine remembers its answers.
 */
export function decideSql(engine: PolicyEngine, question: SqlQuestion): SqlDecision {
  const { statements } = question.operation.facts;
  const walks = statements.map((statement, position) => walk(engine, question, { statement, position }));
  const decisions = [given(question, walks), ...walks.flatMap((found) => found.decisions)];
  return { decision: tidy(combine(decisions)), observed: tidy(observe(decisions)) };
}

const NOTHING_AGAINST: Permit = { effect: 'permit', policies: [], obligations: [] };

interface Walk extends Drawing {
  readonly decisions: readonly Decision[];
  readonly revealed: readonly ColumnUse[];
}

interface At {
  readonly statement: StatementFacts;
  readonly position: number;
}

function walk(engine: PolicyEngine, question: SqlQuestion, { statement, position }: At): Walk {
  const { chain, operation, target } = question;
  const asked: Asked = { ...operation, target: target.name };
  const context: AskContext = {
    ...question.context,
    statement: { verb: statement.verb, bounded: statement.bounded, count: operation.facts.statements.length },
  };
  const reach = (ask: Ask): Decision => coversThing(chain, asked, ask) ?? NOTHING_AGAINST;
  /** Caveats first: what a pass does not reach, policy need not be asked about. */
  const filters = { equality: { ...context, filter: 'equality' }, any: { ...context, filter: 'any' } } as const;
  const answer: Answer = (ask, filter) => {
    return coversThing(chain, asked, ask) ?? engine.decide(chain, ask, filter ? filters[filter] : context);
  };

  const decisions: Decision[] = statement.uses.map((use) => answer(use));
  const judgements: Judgement[] = [];
  const blind: ColumnUse[] = [];
  const budgeted = (target.budgets?.length ?? 0) > 0;
  for (const { name, class: kind } of statement.settings) {
    if (kind !== 'admin') continue;
    const path = [target.name, operation.database, name];
    decisions.push(answer({ action: 'admin', resource: { kind: 'Setting', path }, labels: target.labels }));
  }
  const tableOf = usedTables(statement, target.labels, (table) => engine.namesColumnsOf(table));
  const narrowed = chain.grants.some(({ caveats }) => caveats.scopes !== undefined);
  for (const use of statement.columns) {
    const table = tableOf(use.column);
    const { above } = table;
    const labelled = use.labels.length > 0 && use.besides === undefined;
    const told = labelled || table.named;
    // Neither caveats nor policies can tell such a column from its table, which is asked about above.
    if (told || narrowed) decisions.push(...onColumn(use, table, told ? answer : reach));
    else decisions.push(NOTHING_AGAINST);
    if (!labelled) continue;
    judgements.push(judge(use, { above, answer }));
    // Looking up what one may see anyway is no guessing.
    if (budgeted && use.use === 'filter' && judge({ ...use, use: 'read' }, { above, answer }).open.length > 0)
      blind.push(use);
  }
  const { decisions: ruled, revealed } = ruleOnLabelled(statement, position, judgements);
  decisions.push(...ruled);
  decisions.push(...onBystanders({ statement, position }, target.labels, answer));
  if (decisions.length === 0) decisions.push(...onNothing(question, statement, { asked, answer }));
  return { statement, decisions, revealed, blind };
}

/** The statement's own verbs on one column. A column needs no permit besides its table's, but can be forbidden or held. */
function onColumn(use: ColumnUse, table: UsedTable, answer: Answer): Decision[] {
  const own = use.besides ? [] : use.labels.map(({ label }) => label);
  const labels = [...own, ...table.above];
  return actionsOn(table, use.use).map((action) => answer({ action, resource: use.column, labels, permitted: true }));
}

/** Whoever may not see every labelled column of a row that is written is told of its errors in few words. */
function onBystanders({ statement, position }: At, above: readonly Label[], answer: Answer): Permit[] {
  const { bystanders = [], explains, names } = statement;
  const hidden = bystanders.some(({ column, labels }) => {
    const all = [...labels.map(({ label }) => label), ...above];
    return answer({ action: 'reveal', resource: column, labels: all }).effect !== 'permit';
  });
  const obligations: Obligation[] = hidden ? [{ kind: 'terse' }] : [];
  // What runs by name was read elsewhere: its relations are not told here.
  if (explains && (hidden || names?.kind === 'execute')) obligations.push({ kind: 'plan', statement: position });
  return obligations.length > 0 ? [{ effect: 'permit', policies: [], obligations }] : [];
}

/** A statement that uses nothing asks for nothing, unless what it does is not reading: then its verb is asked. */
function onNothing(
  { chain, operation, target }: SqlQuestion,
  statement: StatementFacts,
  { asked, answer }: { readonly asked: Asked; readonly answer: Answer },
): Decision[] {
  const { verb } = statement;
  if (statement.free || !isAction(verb)) return [];
  if (verb === 'select') return [coversPlainStatement(chain, asked) ?? []].flat();
  const path = [target.name, operation.database];
  return [answer({ action: verb, resource: { kind: 'Database', path }, labels: target.labels })];
}

function isAction(verb: string): verb is Action {
  return (ACTIONS as readonly string[]).includes(verb);
}

/** What holds for every message of the chain on this target. */
function given({ chain, target }: SqlQuestion, walks: readonly Walk[]): Permit {
  const { detect, budgets = [], rows } = target;
  const obligations: Obligation[] = [...rowCap(chain), ...totalsOf(chain)];
  if (rows !== undefined) obligations.push({ kind: 'rows', most: rows });
  obligations.push(...budgetsOf(budgets, walks));
  if (detect && detect.detectors.length > 0) {
    const except = walks.flatMap(({ revealed }) => revealed.map(({ table, attribute }) => ({ table, attribute })));
    const then = agentsOf(chain).length > 0 ? detect.agents : detect.people;
    const { detectors, patterns = {} } = detect;
    // oxlint-disable-next-line unicorn/no-thenable -- an obligation is plain data and is never awaited
    obligations.push({ kind: 'detect', detectors, patterns, then, except });
  }
  return { effect: 'permit', policies: [], obligations };
}

function observe(decisions: readonly Decision[]): Permit | Denial {
  const kept = decisions.filter(
    (decision) =>
      decision.effect === 'permit' ||
      (decision.effect === 'deny' && decision.reason !== 'no-permit' && decision.reason !== 'labelled-column'),
  );
  const decision = combine(kept);
  return decision.effect === 'hold' ? deny('policy-fault', 'a hold cannot be observed') : decision;
}

/** A column read twice is masked once. */
function tidy<T extends Decision>(decision: T): T {
  if (decision.effect === 'deny') return decision;
  const seen = new Map(decision.obligations.map((obligation) => [JSON.stringify(obligation), obligation]));
  return { ...decision, obligations: [...seen.values()] };
}
