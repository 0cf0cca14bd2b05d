import type { Label } from './label.ts';

/** How much of what a label covers one principal, with everybody who acts for them, may use in an hour on one target. */
export interface BudgetRule {
  /** Covers the labels below it, too. */
  readonly label: Label;
  /** Values that labelled columns may be compared with by those who may not see them. */
  readonly lookups?: number;
  /** Rows of results that show or use labelled columns, masked or not. */
  readonly rows?: number;
}

/** Whose spending of what, in which hour since the epoch (0: for ever). */
export interface Account {
  readonly holder: string;
  readonly what: string;
  readonly hour: number;
}

/** What was spent so far, shared by all nodes. */
export interface Spending {
  /** Adds and tells the sum; adding nothing tells it. */
  add(account: Account, amount: number): Promise<number>;
  /** Adds unless the sum would be more than `most`; false: nothing was added. */
  spend(account: Account, amount: number, most: number): Promise<boolean>;
  /** Drops what was spent before an hour. */
  forget(before: number): Promise<void>;
}

/** Counts rows on their way to the client. */
export interface Meter {
  /** Takes one; false: there is none left, and the result must end. */
  take(): boolean;
}
