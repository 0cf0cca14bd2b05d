import type { BudgetRule } from '../core/budget.ts';
import type { ColumnUse, Lookups, StatementFacts } from '../core/facts.ts';
import type { Chain } from '../core/grant.ts';
import { type Label, labelAncestors } from '../core/label.ts';
import type { BudgetObligation, TotalRowsObligation } from '../core/obligation.ts';

/** What a message draws from the budgets of its target. `sees` tells whether a column may be seen as it is. */
export function budgetsOf(
  rules: readonly BudgetRule[],
  statements: readonly StatementFacts[],
  sees: (use: ColumnUse) => boolean,
): BudgetObligation[] {
  return rules.flatMap(({ label, lookups: most, rows }): BudgetObligation[] => {
    const uses = statements.flatMap(({ columns }) => columns.filter((use) => isUnder(label, use)));
    const asked = most === undefined ? NOTHING : sum(uses.filter((use) => use.use === 'filter' && !sees(use)));
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

/** A filter that is no comparison with constants counts as one, too: it asks about something. */
function sum(uses: readonly ColumnUse[]): Lookups {
  return uses.reduce((all, { filter, lookups = NOTHING }): Lookups => {
    const any = filter === 'any' ? 1 : 0;
    return { constants: all.constants + lookups.constants + any, arrays: [...all.arrays, ...lookups.arrays] };
  }, NOTHING);
}
