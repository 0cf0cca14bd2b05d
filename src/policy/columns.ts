import type { Action } from '../core/action.ts';
import { ACTION_GROUPS } from '../core/caveats.ts';
import { type Decision, deny } from '../core/decision.ts';
import type { ColumnLabel, ColumnUse, StatementFacts } from '../core/facts.ts';
import type { Label } from '../core/label.ts';
import type { Ask } from '../core/policy.ts';
import { type Resource, resourceId } from '../core/resource.ts';

/** Says what policy and caveats together answer, about a filter of some grade where it is one. */
export type Answer = (ask: Ask, filter?: ColumnUse['filter']) => Decision;

/** What policy says of one use of a labelled column. */
export interface Judgement {
  readonly use: ColumnUse;
  /** What was answered for labels that stand in the way. None: the use is permitted, or held. */
  readonly refused: readonly { readonly label: ColumnLabel; readonly decision: Decision }[];
  /** Labels that are not simply permitted. */
  readonly open: readonly ColumnLabel[];
  /** What was answered where nothing refused. */
  readonly granted: readonly Decision[];
}

/** The right that each use of a labelled column needs. */
const RIGHTS = { read: 'reveal', derive: 'reveal', filter: 'filter', assign: 'assign' } as const;

/** How a use reads in a sentence. */
const USES = {
  read: 'shown as it is',
  derive: 'used in an expression or copied elsewhere',
  filter: 'used to choose, order or group rows',
  assign: 'written',
} as const;

/** A table whose columns a statement uses. */
export interface UsedTable {
  /** What the statement does to it. */
  readonly actions: readonly Action[];
  /** Labels on it and its target. */
  readonly above: readonly Label[];
  /** Some policy can tell its columns from the table. */
  readonly named: boolean;
}

/** The table of any column of a statement, found once however many of its columns are used. */
export function usedTables(
  { uses }: StatementFacts,
  target: readonly Label[],
  namesColumnsOf: (table: Resource) => boolean,
): (column: Resource) => UsedTable {
  const byId = Map.groupBy(uses, ({ resource }) => resourceId(resource));
  const found = new Map<string, UsedTable>();
  return (column) => {
    const table: Resource = { kind: 'Table', path: column.path.slice(0, -1) };
    const id = resourceId(table);
    const known = found.get(id);
    if (known) return known;
    const on = byId.get(id) ?? [];
    const actions = new Set(on.filter(({ resource }) => resource.kind === 'Table').map(({ action }) => action));
    const above = new Set([...target, ...on.flatMap(({ labels }) => labels)]);
    const used = { actions: [...actions], above: [...above].sort(), named: namesColumnsOf(table) };
    found.set(id, used);
    return used;
  };
}

/** What the statement does to the table in the way it uses a column: `select` for what it reads, `update` … */
export function actionsOn({ actions }: UsedTable, use: ColumnUse['use']): readonly Action[] {
  const writes = use === 'assign';
  const fitting = actions.filter((action) => ACTION_GROUPS.write.includes(action) === writes);
  if (fitting.length > 0) return fitting;
  return actions.length > 0 ? actions : [writes ? 'update' : 'select'];
}

/**
 * Asks about one use of a labelled column. Every label must be answered for on its own: a right over one label opens
 * nothing that another label closes. `above` are the labels of the table and its target.
 */
export function judge(
  use: ColumnUse,
  { above, answer }: { readonly above: readonly Label[]; readonly answer: Answer },
): Judgement {
  const answers = use.labels.map((label) => ({
    label,
    decision: answer(
      { action: RIGHTS[use.use], resource: use.column, labels: [label.label, ...above] },
      use.use === 'filter' ? (use.filter ?? 'any') : undefined,
    ),
  }));
  const refused = answers.filter(({ decision }) => decision.effect === 'deny');
  const open = answers.filter(({ decision }) => decision.effect !== 'permit').map(({ label }) => label);
  const granted = refused.length === 0 ? answers.map(({ decision }) => decision) : [];
  return { use, refused, open, granted };
}

/** Denials for a use that nothing permits and nothing can mask: what it is, which right it needs, which line adds that. */
export function refusals({ use, refused }: Judgement): Decision[] {
  return refused.map(({ label, decision }) => refusal(use, label.label, decision));
}

function refusal(use: ColumnUse, label: Label, decision: Decision): Decision {
  if (decision.effect === 'deny' && decision.reason === 'policy-fault') return decision;
  const right = use.use === 'filter' && use.filter === 'equality' ? 'filter (equality)' : RIGHTS[use.use];
  const id = resourceId(use.column);
  const because = decision.effect === 'deny' && decision.reason !== 'no-permit' ? ` (${decision.message})` : '';
  const message = `column ${id} is labelled ${label} and would be ${USES[use.use]}, which needs ${right}${because}`;
  const { policies } = decision;
  if (decision.effect !== 'deny') return deny('labelled-column', message, { policies });
  // A guardrail stays one: it denies where a target is only observed, too.
  const reason = decision.reason === 'forbidden' ? 'forbidden' : 'labelled-column';
  return deny(reason, message, decision.hint === undefined ? { policies } : { policies, hint: decision.hint });
}
