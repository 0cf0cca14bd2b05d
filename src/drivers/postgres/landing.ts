/** Bytes kept by every connection. */
const SMALL = 4_096;
/** From the pool, for as long as reads are large. */
const LARGE = 262_144;
/** Of memory, at most this much lies before what is read, so that what leaves may be longer than what came. */
const MOST_AHEAD = 65_536;
/** Large pieces of memory that wait for the next large result, of all connections. */
const MOST_POOLED = 16;

const pool: Uint8Array[] = [];

/**
 * The memory that the target's bytes land in. A message that is not complete is kept, and the next read lands behind it.
 * Memory is written again once what leaves of it is with the kernel; until then other memory takes its place.
 */
export class Landing {
  bytes: Uint8Array = new Uint8Array(SMALL);
  /** [start, end) landed and was not used up. */
  start: number = ahead(SMALL);
  end: number = ahead(SMALL);
  #last = 0;
  #spare: Uint8Array | undefined;
  readonly #lent: Uint8Array[] = [];

  room(): Uint8Array {
    return this.bytes.subarray(this.end);
  }

  landed(count: number): void {
    this.end += count;
    this.#last = count;
  }

  /** All that was ever lent came back. */
  returned(): void {
    for (let memory = this.#lent.pop(); memory; memory = this.#lent.pop()) this.#release(memory);
  }

  /** Everything before `start` is used up. `lend`: what leaves still lies here, until `returned` is called. */
  used(start: number, lend: boolean): void {
    this.start = start;
    const memory = this.bytes;
    const { length } = memory;
    const wanted = this.#wanted();
    if (lend || wanted !== length) {
      this.#move(wanted === LARGE ? (pool.pop() ?? new Uint8Array(LARGE)) : this.#take(wanted));
      if (lend) this.#lent.push(memory);
      else this.#release(memory);
    } else if (start === this.end) {
      this.start = this.end = ahead(length);
    } else if (length - this.end < length / 4) {
      this.#move(memory);
    }
  }

  #wanted(): number {
    const { length } = this.bytes;
    const kept = this.end - this.start;
    // Twice what was received, not what a header promises: a promise costs the sender nothing.
    if (kept > LARGE / 4) return length - this.end >= kept / 2 ? length : MOST_AHEAD + 3 * kept;
    if (this.end === length || kept > SMALL / 4) return LARGE;
    return length >= LARGE && this.#last > SMALL ? LARGE : SMALL;
  }

  #take(length: number): Uint8Array {
    const spare = this.#spare;
    if (spare?.length !== length) return new Uint8Array(length);
    this.#spare = undefined;
    return spare;
  }

  #release(memory: Uint8Array): void {
    if (memory.length === SMALL) this.#spare = memory;
    else if (memory.length === LARGE && pool.length < MOST_POOLED) pool.push(memory);
  }

  #move(to: Uint8Array): void {
    const from = this.bytes;
    const kept = this.end - this.start;
    const at = ahead(to.length);
    if (kept > 0) to.set(from.subarray(this.start, this.end), at);
    this.start = at;
    this.end = at + kept;
    this.bytes = to;
  }
}

function ahead(length: number): number {
  return Math.min(length / 4, MOST_AHEAD);
}
