/** Takes back one change of a register. */
export type Undo = () => void;

/**
 * A register of names as the client believes it to be: changed when a message is forwarded, taken back when the
 * server turns out to have skipped or refused it. Undo in reverse order of the changes.
 */
export class Names<T> {
  readonly #held = new Map<string, T>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(name: string): T | undefined {
    return this.#held.get(name);
  }

  /** Whether another name would be one too many. */
  get full(): boolean {
    return this.#held.size >= this.#most;
  }

  set(name: string, value: T): Undo {
    const before = this.#held.get(name);
    this.#held.set(name, value);
    return () => this.#restore(name, value, before);
  }

  drop(name: string): Undo {
    const before = this.#held.get(name);
    this.#held.delete(name);
    return () => this.#restore(name, undefined, before);
  }

  clear(): Undo {
    const before = [...this.#held];
    this.#held.clear();
    return () => {
      for (const [name, value] of before) if (!this.#held.has(name)) this.#held.set(name, value);
    };
  }

  #restore(name: string, mine: T | undefined, before: T | undefined): void {
    if (this.#held.get(name) !== mine) return;
    if (before === undefined) this.#held.delete(name);
    else this.#held.set(name, before);
  }
}
