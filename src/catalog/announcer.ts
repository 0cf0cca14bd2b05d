/** What it takes to tell the other nodes. */
export interface AnnouncerOptions {
  /** Puts it where every node hears it, this one included. */
  readonly tell: (target: string, database: string) => Promise<void>;
  /** Told once when something could not be told, until it can be again. */
  readonly onProblem: (thrown: unknown) => void;
  /** Milliseconds until what failed is tried again. */
  readonly retryAfter?: number;
}

const RETRY_AFTER = 1_000;

interface State {
  readonly target: string;
  readonly database: string;
  /** It changed again while it was being told: told once more. */
  again: boolean;
}

/**
 * Tells every node that DDL was seen on this one. Nobody waits for it: changes that come while one is being told are
 * told together afterwards, and what cannot be told is tried until it can.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #telling = new Map<string, State>();
  /** Announcements of our own that are still to be heard, by database. */
  readonly #own = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isTroubled = false;
  #closed = false;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  changed(target: string, database: string): void {
    const key = JSON.stringify([target, database]);
    const state = this.#telling.get(key);
    if (state !== undefined) {
      state.again = true;
      return;
    }
    this.#telling.set(key, { target, database, again: false });
    this.#own.set(key, (this.#own.get(key) ?? 0) + 1);
    void this.#tell(key);
  }

  /**
   * True when what was heard may come from another node. One that does may be taken for one of ours while ours is on its
   * way; then ours is taken for it, later.
   */
  heard(target: string, database: string): boolean {
    const key = JSON.stringify([target, database]);
    const own = this.#own.get(key) ?? 0;
    if (own > 1) this.#own.set(key, own - 1);
    else this.#own.delete(key);
    return own === 0;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #tell(key: string): Promise<void> {
    const state = this.#telling.get(key);
    if (state === undefined || this.#closed) return;
    try {
      state.again = false;
      await this.#options.tell(state.target, state.database);
      this.#isTroubled = false;
    } catch (thrown) {
      if (!this.#isTroubled) this.#options.onProblem(thrown);
      this.#isTroubled = true;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        void this.#tell(key);
      }, this.#options.retryAfter ?? RETRY_AFTER);
      timer.unref();
      this.#timers.add(timer);
      return;
    }
    this.#telling.delete(key);
    if (state.again) this.changed(state.target, state.database);
  }
}
