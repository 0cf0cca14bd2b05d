/** Takes back one change of a register; `keep` says instead that the server made it. */
export interface Undo {
  (): void;
  readonly keep?: () => void;
}

/** Several changes as one: given in the order they are to be taken back. */
export function undoAll(undos: readonly Undo[]): Undo {
  const all = () => {
    for (const undo of undos) undo();
  };
  const keep = () => {
    for (const undo of undos) undo.keep?.();
  };
  return Object.assign(all, { keep });
}

/** One change of one name. */
interface Change<T> {
  /** Undefined: the name was dropped. */
  readonly value: T | undefined;
  readonly segment: number;
  /** What stands again when this is taken back; undefined once the server made it. */
  before: Change<T> | undefined;
  state: 'open' | 'kept' | 'void';
}

/**
 * A register of names as the client believes it to be: changed when a message is forwarded, taken back when the
 * server turns out to have skipped or refused it. A failure skips what follows it up to a Sync and no further, so a
 * name whose last change is still open in an earlier segment is in doubt: nothing may be decided by it.
 */
export class Names<T> {
  readonly #held = new Map<string, Change<T>>();
  readonly #most: number;
  #segment = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(name: string): T | undefined {
    return this.#held.get(name)?.value;
  }

  /** Whether the server may yet turn out to have something else under this name, though all after it goes well. */
  inDoubt(name: string): boolean {
    const last = this.#held.get(name);
    return last?.state === 'open' && last.segment !== this.#segment;
  }

  /** A Sync or Query was forwarded: what comes next is not skipped with what came before. */
  boundary(): void {
    this.#segment += 1;
  }

  /** Whether another name would be one too many. */
  get full(): boolean {
    return this.#held.size >= this.#most;
  }

  set(name: string, value: T): Undo {
    return this.#change(name, value);
  }

  drop(name: string): Undo {
    return this.#change(name, undefined);
  }

  clear(): Undo {
    return undoAll([...this.#held.keys()].map((name) => this.drop(name)));
  }

  #change(name: string, value: T | undefined): Undo {
    const change: Change<T> = { value, segment: this.#segment, before: this.#held.get(name), state: 'open' };
    this.#held.set(name, change);
    return Object.assign(
      () => {
        change.state = 'void';
        this.#settle(name);
      },
      {
        keep: () => {
          if (change.state === 'void') return;
          change.state = 'kept';
          change.before = undefined;
          this.#settle(name);
        },
      },
    );
  }

  /** Puts the newest change that was not taken back on top. */
  #settle(name: string): void {
    let top = this.#held.get(name);
    while (top?.state === 'void') top = top.before;
    if (top === undefined || (top.state === 'kept' && top.value === undefined)) this.#held.delete(name);
    else this.#held.set(name, top);
  }
}
