import type { Account, Meter, Spending } from '../core/budget.ts';
import type { Clock } from '../core/clock.ts';
import { type Denial, deny } from '../core/decision.ts';
import type { Lookups } from '../core/facts.ts';
import type { Obligation } from '../core/obligation.ts';
import type { Operation, Parameter } from '../core/operation.ts';
import { RowCounter } from './row-counter.ts';

const HOUR = 3_600_000;

/** Whose budgets a session draws on: the root principal's, whoever acts for them. */
export interface Spender {
  readonly principal: string;
  readonly target: string;
}

/**
 * Budgets of labels and grants (policy.md §3). Look-ups are taken from the shared store before the statement runs, all
 * of them or none. Rows are known only as they come: they are counted here, for all sessions of this worker at once,
 * and brought to the store when the next statement asks; workers of a fleet may overdraw by what is under way.
 */
export class Budgets {
  readonly #spending: Spending;
  readonly #clock: Clock;
  readonly #counters = new Map<string, RowCounter>();
  #hour = 0;

  constructor(spending: Spending, clock: Clock) {
    this.#spending = spending;
    this.#clock = clock;
  }

  /** Takes what a statement asks for before it runs. Rejects where the store cannot be asked: then it must not run. */
  async debit(spender: Spender, operation: Operation, obligations: readonly Obligation[]): Promise<Denial | undefined> {
    for (const [counter, denial] of this.#countersOf(spender, obligations)) {
      await counter.refresh();
      if (counter.left <= 0) return denial;
    }
    for (const duty of obligations) {
      if (duty.kind !== 'budget' || duty.lookups === undefined) continue;
      const { most, asked } = duty.lookups;
      const count = asked.constants + elements(asked, operation.parameters);
      const account = this.#account(spender, `${duty.label} lookups`);
      if (!(await this.#spending.spend(account, count, most))) {
        return spent(`look-ups by columns labelled ${duty.label}`, `${most} values an hour`);
      }
    }
    return undefined;
  }

  /** Counts the rows of one result; undefined where nothing limits them. */
  meter(spender: Spender, obligations: readonly Obligation[]): Meter | undefined {
    const counters = this.#countersOf(spender, obligations).map(([counter]) => counter);
    if (counters.length === 0) return undefined;
    return {
      take: () => {
        if (counters.some((counter) => counter.left <= 0)) return false;
        for (const counter of counters) counter.take();
        return true;
      },
    };
  }

  #countersOf(spender: Spender, obligations: readonly Obligation[]): (readonly [RowCounter, Denial])[] {
    const hour = Math.floor(this.#clock.now() / HOUR);
    if (hour !== this.#hour) this.#turn(hour);
    return obligations.flatMap((duty): (readonly [RowCounter, Denial])[] => {
      if (duty.kind === 'total-rows') {
        const account = { holder: `grant ${duty.grant}`, what: 'rows', hour: 0 };
        return [[this.#counter(account, duty.most), spent('rows of a pass', `${duty.most} in all`)]];
      }
      if (duty.kind !== 'budget' || duty.rows === undefined) return [];
      const account = this.#account(spender, `${duty.label} rows`);
      return [
        [this.#counter(account, duty.rows), spent(`rows with columns labelled ${duty.label}`, `${duty.rows} an hour`)],
      ];
    });
  }

  #account({ principal, target }: Spender, what: string): Account {
    return { holder: principal, what: `${target} ${what}`, hour: this.#hour };
  }

  /** A new hour: counters that have nothing to bring to the store are dropped, and what is older than two days there. */
  #turn(hour: number): void {
    this.#hour = hour;
    for (const [key, counter] of this.#counters) if (counter.idle) this.#counters.delete(key);
    this.#spending.forget(hour - 48).catch(() => {}); // the next hour tries again
  }

  #counter(account: Account, most: number): RowCounter {
    const key = JSON.stringify([account, most]);
    const known = this.#counters.get(key);
    if (known) return known;
    const fresh = new RowCounter(this.#spending, account, most);
    this.#counters.set(key, fresh);
    return fresh;
  }
}

function spent(what: string, budget: string): Denial {
  return deny('budget-spent', `the budget for ${what} is spent: ${budget}`, {
    hint: 'wait for the next hour, or ask for more',
  });
}

/** How many values bound arrays hold: what a text separates by commas, what a binary array says of itself. */
function elements({ arrays }: Lookups, parameters: readonly Parameter[] | undefined): number {
  return arrays.reduce((sum, number) => {
    const value = parameters?.[number - 1];
    if (value === null || value === undefined) return sum + 1;
    return sum + (typeof value === 'string' ? value.split(',').length : binaryElements(value));
  }, 0);
}

/** array_send: dimensions, flags, element type, then length and lower bound of each dimension. */
function binaryElements(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12) return 1;
  const dimensions = Math.min(6, Math.max(0, view.getInt32(0)));
  let count = 1;
  for (let at = 12, left = dimensions; left > 0 && at + 4 <= bytes.length; at += 8, left--) {
    count *= Math.max(1, view.getInt32(at));
  }
  return count;
}
