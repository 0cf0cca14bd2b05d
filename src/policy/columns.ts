import type { Action } from '../core/action.ts';
import { ACTION_GROUPS } from '../core/caveats.ts';
import { type Decision, deny } from '../core/decision.ts';
import type { ColumnLabel, ColumnUse, StatementFacts } from '../core/facts.ts';
import type { Label } from '../core/label.ts';
import { type MaskObligation, strictestFirst } from '../core/obligation.ts';
import type { Ask } from '../core/policy.ts';
import { type Resource, resourceId } from '../core/resource.ts';

/** Says what policy and caveats together answer. */
export type Answer = (ask: Ask) => Decision;

export interface ColumnRuling {
  /** All must hold. */
  readonly decisions: readonly Decision[];
  /** Leaves as itself, permitted by `reveal`. */
  readonly revealed: boolean;
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

/** The table a column is in. */
export function tableOf(column: Resource): Resource {
  return { kind: 'Table', path: column.path.slice(0, -1) };
}

/** What the statement does to the table in the way it uses this column: `select` for what it reads, `update` … */
export function actionsOn(statement: StatementFacts, use: ColumnUse): readonly Action[] {
  const table = resourceId(tableOf(use.column));
  const on = statement.uses.filter(({ resource }) => resource.kind === 'Table' && resourceId(resource) === table);
  const all = [...new Set(on.map(({ action }) => action))];
  const writes = use.use === 'assign';
  const fitting = all.filter((action) => ACTION_GROUPS.write.includes(action) === writes);
  if (fitting.length > 0) return fitting;
  return all.length > 0 ? all : [writes ? 'update' : 'select'];
}

/**
 * Rules on one use of a labelled column. Every label must be answered for on its own: a right over one label opens
 * nothing that another label closes. `above` are the labels of the table and its target.
 */
export function ruleOnLabelled(
  statement: StatementFacts,
  use: ColumnUse,
  { above, answer }: { readonly above: readonly Label[]; readonly answer: Answer },
): ColumnRuling {
  const right = RIGHTS[use.use];
  const answers = use.labels.map((label) => ({
    label,
    decision: answer({ action: right, resource: use.column, labels: [label.label, ...above] }),
  }));
  const refused = answers.filter(({ decision }) => decision.effect === 'deny');
  if (refused.length === 0) {
    return { decisions: answers.map(({ decision }) => decision), revealed: right === 'reveal' };
  }
  const fault = refused.find(({ decision }) => decision.effect === 'deny' && decision.reason === 'policy-fault');
  if (fault) return { decisions: [fault.decision], revealed: false };

  const open = answers.filter(({ decision }) => decision.effect !== 'permit').map(({ label }) => label);
  const maskable = use.use === 'read' && use.table > 0 && use.attribute > 0 && statement.copy === undefined;
  if (maskable) return { decisions: [masked(use, open)], revealed: false };
  return { decisions: refused.map(({ label, decision }) => refusal(use, label.label, decision)), revealed: false };
}

function masked(use: ColumnUse, labels: readonly ColumnLabel[]): Decision {
  const [label] = labels.toSorted(strictestFirst);
  if (!label) return deny('policy-fault', 'a column without a label cannot be masked');
  const obligation: MaskObligation = {
    kind: 'mask',
    column: resourceId(use.column),
    table: use.table,
    attribute: use.attribute,
    label: label.label,
    style: label.style,
    ...(label.constant === undefined ? {} : { constant: label.constant }),
  };
  return { effect: 'permit', policies: [], obligations: [obligation] };
}

function refusal(use: ColumnUse, label: Label, decision: Decision): Decision {
  const right = RIGHTS[use.use];
  const id = resourceId(use.column);
  const because = decision.effect === 'deny' && decision.reason !== 'no-permit' ? ` (${decision.message})` : '';
  const message = `column ${id} is labelled ${label} and would be ${USES[use.use]}, which needs ${right}${because}`;
  const { policies } = decision;
  if (decision.effect !== 'deny') return deny('labelled-column', message, { policies });
  // A guardrail stays one: it denies where a target is only observed, too.
  const reason = decision.reason === 'forbidden' ? 'forbidden' : 'labelled-column';
  return deny(reason, message, decision.hint === undefined ? { policies } : { policies, hint: decision.hint });
}
