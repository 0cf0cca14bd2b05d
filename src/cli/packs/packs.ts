import { KINDS } from '../../catalog/kinds/kinds.ts';
import type { SampleTarget } from '../../config/sample.ts';
import type { BudgetRule } from '../../core/budget.ts';
import { type Label, labelAncestors } from '../../core/label.ts';
import { GDPR } from './gdpr.ts';
import { HIPAA } from './hipaa.ts';
import type { Pack } from './pack.ts';
import { PCI } from './pci.ts';

export const PACKS: readonly Pack[] = [PCI, HIPAA, GDPR];

/** What the target of a new configuration has for these packs: where two want the same, once, and the smaller budget. */
export function targetFor(packs: readonly Pack[]): SampleTarget {
  const detectors = [...new Set(packs.flatMap((pack) => pack.detectors))];
  return { columns: columnsFor(packs), budgets: budgetsFor(packs).map(budgetLine), detectors };
}

function columnsFor(packs: readonly Pack[]): string[] {
  const kinds = KINDS.filter(({ label }) => packs.some((pack) => covers(pack, label)));
  return kinds.flatMap(({ label, mask, columns }) => {
    const style = mask === 'null' ? '"null"' : mask;
    return columns.map((name) => `- { column: "*.*.${name}", label: ${label}, mask: ${style} }`);
  });
}

function covers({ labels, except = [] }: Pack, label: Label): boolean {
  const all = labelAncestors(label);
  return labels.some((one) => all.includes(one)) && !except.some((one) => all.includes(one));
}

function budgetsFor(packs: readonly Pack[]): BudgetRule[] {
  const byLabel = new Map<Label, BudgetRule>();
  for (const budget of packs.flatMap((pack) => pack.budgets)) {
    const { label } = budget;
    const known = byLabel.get(label);
    const lookups = smaller(known?.lookups, budget.lookups);
    const rows = smaller(known?.rows, budget.rows);
    byLabel.set(label, {
      label,
      ...(lookups === undefined ? {} : { lookups }),
      ...(rows === undefined ? {} : { rows }),
    });
  }
  return [...byLabel.values()];
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function budgetLine({ label, lookups, rows }: BudgetRule): string {
  const limits = Object.entries({ lookups, rows }).flatMap(([key, most]) =>
    most === undefined ? [] : [`${key}: ${most}`],
  );
  return `- { label: ${label}, ${limits.join(', ')} }`;
}
