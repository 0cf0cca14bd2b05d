import type { BudgetRule } from '../../core/budget.ts';

/** What a rule book asks for, as a start: labels by name, detectors, budgets, and policies to read and change. */
export interface Pack {
  readonly name: string;
  /** For help texts. */
  readonly about: string;
  /** Kinds of columns at or below these labels are labelled by name. */
  readonly labels: readonly string[];
  readonly except?: readonly string[];
  readonly detectors: readonly string[];
  readonly budgets: readonly BudgetRule[];
  /** A file of policies, and one of their tests. */
  readonly policies: string;
  readonly tests: string;
}
