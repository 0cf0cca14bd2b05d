import type { CatalogSnapshot } from '../../core/catalog.ts';
import type { Clock } from '../../core/clock.ts';
import type { SqlFacts, SqlScope } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import { GIVEN_UP, ReadingProcess } from './process.ts';

/** Milliseconds that somebody reads apart after a statement of theirs has cost a process its life. */
const APART_FOR = 600_000;
/** Of those who read apart; the one who did so longest ago is forgotten first. */
const MOST_APART = 10_000;

/**
 * Where statements are read: all in one process, but for people whose statements have cost one its life. They share
 * another for a while, and nobody else waits a second time for what they send.
 */
export class Readings {
  readonly common: ReadingProcess;
  readonly #clock: Clock;
  readonly #open: () => ReadingProcess;
  readonly #apartUntil = new Map<string, number>();
  #apart: ReadingProcess | undefined;

  constructor(clock: Clock, open: () => ReadingProcess = () => new ReadingProcess()) {
    this.#clock = clock;
    this.#open = open;
    this.common = open();
  }

  /** `who`: the principal a statement is read for. Throws what `ReadingProcess.read` does. */
  async read(text: string, scope: SqlScope, snapshot: CatalogSnapshot, who: string): Promise<SqlFacts> {
    try {
      return await this.#of(who).read(text, scope, snapshot);
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.cause === GIVEN_UP) this.#set(who);
      throw thrown;
    }
  }

  standing(): { readonly waiting: number; readonly started: number } {
    const apart = this.#apart;
    return {
      waiting: this.common.waiting + (apart?.waiting ?? 0),
      started: this.common.started + (apart?.started ?? 0),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.common.close(), this.#apart?.close()]);
  }

  #of(who: string): ReadingProcess {
    const until = this.#apartUntil.get(who);
    if (until === undefined) return this.common;
    if (this.#clock.monotonic() < until) {
      this.#apart ??= this.#open();
      return this.#apart;
    }
    this.#apartUntil.delete(who);
    return this.common;
  }

  #set(who: string): void {
    this.#apartUntil.delete(who);
    const [longest] = this.#apartUntil.keys();
    if (this.#apartUntil.size >= MOST_APART && longest !== undefined) this.#apartUntil.delete(longest);
    this.#apartUntil.set(who, this.#clock.monotonic() + APART_FOR);
  }
}
