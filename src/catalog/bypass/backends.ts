import type { OwnBackends } from '../../core/backends.ts';
import type { Clock } from '../../core/clock.ts';

/** What every node tells the others of its own connections. Implemented by the store. */
export interface FleetBackends {
  /** Takes the place of what this worker told before. */
  tell(backends: readonly ToldBackend[]): Promise<void>;
  /** What the other workers told, those that died lately too, and how many of them are alive. */
  others(): Promise<{ readonly workers: number; readonly backends: readonly ToldBackend[] }>;
  /** What this worker told before it was last started; all of it is let go. */
  left(): Promise<readonly ToldBackend[]>;
}

/** A process and its role in one word, and when its connection was let go: milliseconds since the epoch, 0 while it is held. */
export type ToldBackend = readonly [key: string, gone: number];

export interface BackendsOptions {
  readonly fleet: FleetBackends;
  readonly clock: Clock;
  /** Told once when the other nodes cannot be told, until they can be again. */
  readonly onProblem: (thrown: unknown) => void;
}

/** Clocks differ, and a server takes a moment to end a process whose connection is gone. */
const SLACK = 5_000;
/** Statements that run on after their client has left end some day. */
const FORGET_AFTER = 24 * 3_600_000;
const MOST_GONE = 1_000;
/** Connections that come and go within this are told of together. */
const TELL_AFTER = 2_000;

/** Whose session is it? */
export interface Ours {
  /** `age`: milliseconds since it began, undefined where that cannot be seen. */
  has(user: string, process: number, age: number | undefined): boolean;
  /** Other workers that are alive. */
  readonly workers: number;
}

/**
 * The gateway's own connections by role and process id, which is the server's word: no two sessions of a server share
 * one at a time, so what a session calls itself plays no part. A process whose connection is gone may run on; it is
 * still ours if it began before that. Servers are not told apart: with the same role and the same number at two servers,
 * a session that is not ours is taken for ours while the other lives.
 */
export class Backends implements OwnBackends {
  readonly #options: BackendsOptions;
  readonly #open = new Map<string, number>();
  readonly #gone = new Map<string, number>();
  #telling: NodeJS.Timeout | undefined;
  #isTroubled = false;
  #closed = false;

  constructor(options: BackendsOptions) {
    this.#options = options;
  }

  opened(user: string, process: number): () => void {
    const key = keyOf(user, process);
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    this.#tellSoon();
    return () => {
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
      this.#gone.delete(key);
      this.#gone.set(key, this.#options.clock.now());
      const [oldest] = this.#gone.keys();
      if (this.#gone.size > MOST_GONE && oldest !== undefined) this.#gone.delete(oldest);
      this.#tellSoon();
    };
  }

  /** Ours at this moment, and of the other nodes what they told. Throws Fault STORE_UNAVAILABLE. */
  async ours(): Promise<Ours> {
    const { workers, backends } = await this.#options.fleet.others();
    const theirs = new Map<string, ToldBackend[]>();
    for (const told of backends) theirs.set(told[0], [...(theirs.get(told[0]) ?? []), told]);
    const now = this.#options.clock.now();
    return {
      workers,
      has: (user, process, age) => {
        const key = keyOf(user, process);
        const told = theirs.get(key) ?? [];
        const gone = [this.#gone.get(key) ?? 0, ...told.map(([, at]) => at)].filter((at) => at !== 0);
        if (this.#open.has(key) || told.some(([, at]) => at === 0)) return true;
        return gone.some((at) => now - (age ?? 0) <= at + SLACK);
      },
    };
  }

  /** Takes on what an earlier run of this worker left running. Throws Fault STORE_UNAVAILABLE. */
  async inherit(): Promise<void> {
    for (const [key, at] of await this.#options.fleet.left()) this.#gone.set(key, at);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#telling);
  }

  #tellSoon(): void {
    if (this.#closed) return;
    this.#telling ??= setTimeout(() => void this.#tell(), TELL_AFTER).unref();
  }

  async #tell(): Promise<void> {
    this.#telling = undefined;
    const now = this.#options.clock.now();
    for (const [key, at] of this.#gone) if (now - at > FORGET_AFTER) this.#gone.delete(key);
    const open = [...this.#open.keys()].map((key) => [key, 0] as const);
    try {
      await this.#options.fleet.tell([...open, ...this.#gone]);
      this.#isTroubled = false;
    } catch (thrown) {
      if (!this.#isTroubled) this.#options.onProblem(thrown);
      this.#isTroubled = true;
      this.#tellSoon();
    }
  }
}

function keyOf(user: string, process: number): string {
  return `${process} ${user}`;
}
