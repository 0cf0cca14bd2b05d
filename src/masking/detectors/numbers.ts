import { BACKSLASH, ESCAPED, startsWord, UPPERCASE, WORD } from './bytes.ts';
import { card } from './card.ts';
import type { Detector, Find } from './hit.ts';
import { iban } from './iban.ts';
import { ipv4 } from './ip.ts';
import { nationalPhone } from './national-phone.ts';
import { nino } from './nino.ts';
import { ssn } from './ssn.ts';

const [SPACE, CLOSE, DASH, DOT, TWO] = [0x20, 0x29, 0x2d, 0x2e, 0x32];
const FEWEST_CARD = 13;

/** What the byte before a run of digits makes of it. */
const INSIDE = 1;
const HEADED = 2;
const ESCAPE = 3;

/** What runs of digits are or begin. Most are too short or in the middle of a word: two looks tell. */
export class Numbers {
  /** Whether any of its detectors is wanted. */
  readonly any: boolean;
  readonly #before: Uint8Array;
  readonly #card: boolean;
  readonly #ssn: boolean;
  readonly #iban: boolean;
  readonly #phone: boolean;
  readonly #nino: boolean;
  readonly #ip: boolean;

  constructor(wanted: (detector: Detector) => boolean) {
    this.#card = wanted('card');
    this.#ssn = wanted('ssn');
    this.#iban = wanted('iban');
    this.#phone = wanted('phone');
    this.#nino = wanted('nino');
    this.#ip = wanted('ip');
    this.any = this.#card || this.#ssn || this.#iban || this.#phone || this.#nino || this.#ip;
    this.#before = WORD.map((flag, byte) => {
      if (UPPERCASE[byte] === 1 && (this.#iban || this.#nino)) return HEADED;
      return ESCAPED[byte] === 1 ? ESCAPE : flag;
    });
  }

  /** Whether the digits from `at` on may be something; never, where they are in the middle of a word. */
  mayBegin(bytes: Uint8Array, from: number, at: number): boolean {
    if (at === from) return true;
    const before = this.#before[bytes[at - 1] as number] as number;
    if (before <= INSIDE) return before === 0;
    if (at - 2 < from) return false;
    const first = bytes[at - 2] as number;
    return before === ESCAPE ? first === BACKSLASH : UPPERCASE[first] === 1 && startsWord(bytes, from, at - 2);
  }

  /** What the run of digits `[at, stop)` is or begins, if it may be something. */
  find(bytes: Uint8Array, from: number, at: number, stop: number, limit: number): Find | undefined {
    const length = stop - at;
    const before = at > from ? (bytes[at - 1] as number) : 0;
    if (UPPERCASE[before] === 1) return this.#headed(bytes, from, at, stop, limit);
    if (stop === limit) return length >= FEWEST_CARD && this.#card ? card(bytes, from, at, stop, limit) : undefined;
    const next = bytes[stop] as number;
    if (WORD[next] === 1) {
      return length === 6 && before === SPACE && this.#nino ? nino(bytes, from, at, stop, limit) : undefined;
    }
    switch (length) {
      case 1:
        return next === DOT && before !== DOT && this.#ip ? ipv4(bytes, from, at, stop, limit) : undefined;
      case 2:
        if (next === DOT) return before !== DOT && this.#ip ? ipv4(bytes, from, at, stop, limit) : undefined;
        return next === SPACE && before === SPACE && this.#nino ? nino(bytes, from, at, stop, limit) : undefined;
      case 3:
        return this.#three(bytes, from, at, stop, limit);
      case 4:
        return (next === SPACE || next === DASH) && this.#card ? card(bytes, from, at, stop, limit) : undefined;
      case 6:
        return before === SPACE && this.#nino ? nino(bytes, from, at, stop, limit) : undefined;
      default:
        return length >= FEWEST_CARD && this.#card ? card(bytes, from, at, stop, limit) : undefined;
    }
  }

  /** Three digits with something behind them. */
  #three(bytes: Uint8Array, from: number, at: number, stop: number, limit: number): Find | undefined {
    const next = bytes[stop] as number;
    if (this.#ssn && (next === SPACE || next === DASH) && stop + 8 <= limit && bytes[stop + 3] === next) {
      return ssn(bytes, from, at, stop, limit);
    }
    if (this.#phone && (next === DASH || next === DOT || next === CLOSE) && (bytes[at] as number) >= TWO) {
      const find = nationalPhone(bytes, from, at, stop, limit);
      if (find) return find;
    }
    return next === DOT && this.#ip ? ipv4(bytes, from, at, stop, limit) : undefined;
  }

  /** Digits behind two capitals. */
  #headed(bytes: Uint8Array, from: number, at: number, stop: number, limit: number): Find | undefined {
    const length = stop - at;
    if (this.#nino && (length === 6 || length === 2)) {
      const find = nino(bytes, from, at, stop, limit);
      if (find) return find;
    }
    return this.#iban && length >= 2 ? iban(bytes, from, at, limit) : undefined;
  }
}
