import type { Account, Spending } from '../core/budget.ts';

/** Rows counted on this worker against one budget. `take` never waits; `refresh` brings the count to the store. */
export class RowCounter {
  readonly #spending: Spending;
  readonly #account: Account;
  readonly #most: number;
  /** What the store said, and what was taken since. */
  #known = 0;
  #taken = 0;
  #refreshing: Promise<void> | undefined;

  constructor(spending: Spending, account: Account, most: number) {
    this.#spending = spending;
    this.#account = account;
    this.#most = most;
  }

  get left(): number {
    return this.#most - this.#known - this.#taken;
  }

  /** Nothing is left to bring to the store. */
  get idle(): boolean {
    return this.#taken === 0 && this.#refreshing === undefined;
  }

  take(): void {
    this.#taken += 1;
    // Nobody may ask for this budget again: what is counted must not be forgotten with the process.
    if (this.#taken === 1) setTimeout(() => void this.refresh().catch(() => {}), SOON).unref();
  }

  /** Rejects where the store cannot be asked; what was counted stays counted. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const brought = this.#taken;
    const sum = await this.#spending.add(this.#account, brought);
    this.#known = sum;
    this.#taken -= brought;
  }
}

const SOON = 250;
