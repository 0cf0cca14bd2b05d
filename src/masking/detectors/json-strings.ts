import { BACKSLASH, DIGIT, STAR } from './bytes.ts';

const QUOTE = 0x22;
const NINE = 0x39;
const LOWER_U = 0x75;

/** Tells what is inside a string of one JSON text. Asked in ascending order, so that the whole costs one reading. */
export class JsonStrings {
  readonly #bytes: Uint8Array;
  #at: number;
  #inside = false;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  inside(index: number): boolean {
    for (; this.#at < index; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte === QUOTE) this.#inside = !this.#inside;
      else if (byte === BACKSLASH && this.#inside) this.#at += escapeLength(this.#bytes[this.#at + 1]);
    }
    return this.#inside;
  }

  /** The first place from `index` on that is in the middle of no escape. */
  clear(index: number): number {
    this.inside(index);
    return Math.max(index, this.#at);
  }

  /** Covers what is in strings, names of members too, and makes bare digits nines; escapes and structure stay. */
  cover(start: number, end: number): void {
    let inside = this.inside(start);
    for (let i = this.#at; i < end; i++) {
      const byte = this.#bytes[i];
      if (byte === QUOTE) inside = !inside;
      else if (inside && byte === BACKSLASH) i += escapeLength(this.#bytes[i + 1]);
      else if (inside) this.#bytes[i] = STAR;
      else if (DIGIT[byte ?? 0] === 1) this.#bytes[i] = NINE;
    }
  }
}

/** Characters of an escape besides its backslash. */
function escapeLength(first: number | undefined): number {
  return first === LOWER_U ? 5 : 1;
}
