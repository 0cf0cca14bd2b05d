import type { BudgetRule } from '../core/budget.ts';
import type { ColumnUse, Lookups, StatementFacts } from '../core/facts.ts';
import type { Chain } from '../core/grant.ts';
import { type Label, labelAncestors } from '../core/label.ts';
import type { BudgetObligation, TotalRowsObligation } from '../core/obligation.ts';

/** What one statement of a message does that budgets count. */
export interface Drawing {
  readonly statement: StatementFacts;
  /** Filters by columns that may not be seen as they are. */
  readonly blind: readonly ColumnUse[];
}

/** What a message draws from the budgets of its target. PREPARE runs nothing yet. */
export function budgetsOf(rules: readonly BudgetRule[], all: readonly Drawing[]): BudgetObligation[] {
  const drawings = all.filter(({ statement }) => statement.names?.kind !== 'prepare');
  return rules.flatMap(({ label, lookups: most, rows }): BudgetObligation[] => {
    const asked = most === undefined ? NOTHING : sum(drawings.map((each) => askedBy(each, label)));
    const uses = drawings.flatMap(({ statement }) => statement.columns.filter((use) => isUnder(label, use)));
    const shown = rows !== undefined && uses.some(({ use }) => use === 'read' || use === 'derive');
    const counts = asked.constants > 0 || asked.arrays.length > 0;
    if (!counts && !shown) return [];
    return [
      {
        kind: 'budget',
        label,
        ...(counts && most !== undefined ? { lookups: { most, asked } } : {}),
        ...(shown ? { rows } : {}),
      },
    ];
  });
}

/** What EXECUTE gives for a parameter is known by the statement, not by the message. */
function askedBy({ statement: { given }, blind }: Drawing, label: Label): Lookups {
  // A filter that is no comparison with constants counts as one, too: it asks about something.
  const any = { constants: 1, arrays: [] };
  const asked = sum(
    blind
      .filter((use) => isUnder(label, use))
      .flatMap(({ filter, lookups = NOTHING }) => (filter === 'any' ? [lookups, any] : [lookups])),
  );
  if (!given) return asked;
  const constants = asked.arrays.reduce((all, number) => all + (given[number - 1] ?? ANY_NUMBER), asked.constants);
  return { constants: Math.min(constants, ANY_NUMBER), arrays: [] };
}

/** More than any budget has. */
const ANY_NUMBER = Number.MAX_SAFE_INTEGER;

/** Rows that grants of the path may still give in all. */
export function totalsOf(chain: Chain): TotalRowsObligation[] {
  return chain.grants.flatMap(({ id, caveats }) =>
    caveats.totalRows === undefined ? [] : [{ kind: 'total-rows', grant: id, most: caveats.totalRows } as const],
  );
}

const NOTHING: Lookups = { constants: 0, arrays: [] };

function isUnder(label: Label, { labels, besides }: ColumnUse): boolean {
  if (besides) return false;
  return labels.some((one) => labelAncestors(one.label).includes(label));
}

function sum(all: readonly Lookups[]): Lookups {
  return {
    constants: all.reduce((constants, each) => constants + each.constants, 0),
    arrays: all.flatMap(({ arrays }) => arrays),
  };
}
