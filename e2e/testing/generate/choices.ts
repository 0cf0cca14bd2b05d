/** Decisions from a list of numbers: a shorter list, or smaller numbers, make a simpler text. */
export class Choices {
  readonly #numbers: readonly number[];
  #at = 0;
  #names = 0;
  readonly #odd = ['customers', 'orders', '"Odd name"', 'email', 'people', '"select"', 'public', 's'];

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** Below `count`; 0, the simplest, once the numbers are used up. */
  pick(count: number): number {
    return (this.#numbers[this.#at++] ?? 0) % count;
  }

  /** True once in so many times; false at the end of the numbers. */
  once(times: number): boolean {
    return this.pick(times) === times - 1;
  }

  of<T>(list: readonly T[]): T {
    const found = list[this.pick(list.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }

  /** A new name, now and then one that is also something else's; never twice the same. */
  alias(): string {
    return this.#odd.length > 0 && this.once(6) ? (this.#odd.shift() ?? '') : this.name();
  }

  name(): string {
    this.#names += 1;
    return `n${this.#names}`;
  }
}
