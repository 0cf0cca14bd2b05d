/** A map that takes so many keys and no more. What comes for another key is counted, not kept. */
export class Bounded<T> {
  readonly #most: number;
  readonly #kept = new Map<string, T>();
  #leftOut = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Undefined, and counted, where there is no room for the key. */
  at(key: string, make: () => T): T | undefined {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    if (this.#kept.size >= this.#most) {
      this.#leftOut += 1;
      return undefined;
    }
    const made = make();
    this.#kept.set(key, made);
    return made;
  }

  get values(): readonly T[] {
    return [...this.#kept.values()];
  }

  /** How often there was no room. */
  get leftOut(): number {
    return this.#leftOut;
  }
}
