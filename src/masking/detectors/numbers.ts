import { BACKSLASH, ESCAPED, isDigit, startsWord, UPPERCASE, WORD } from './bytes.ts';
import { card, mayBeGrouped } from './card.ts';
import type { Detector, Find } from './hit.ts';
import { iban } from './iban.ts';
import { ipv4 } from './ip.ts';
import { nationalPhone } from './national-phone.ts';
import { nino } from './nino.ts';
import { ssn } from './ssn.ts';

const [SPACE, CLOSE, DASH, DOT] = [0x20, 0x29, 0x2d, 0x2e];

/** What the byte before a run of digits makes of it. */
export const FREE = 0;
export const INSIDE = 1;
const HEADED = 2;
const ESCAPE = 3;

/** What stands behind a run of digits, one bit each. A run inside a word has nothing of these. */
const BY_SPACE = 1 << 0;
const BY_DASH = 1 << 1;
const BY_DOT = 1 << 2;
const BY_CLOSE = 1 << 3;
const BY_SUFFIX = 1 << 4;
export const BY_OTHER: number = 1 << 5;
const BY_ANY = BY_SPACE | BY_DASH | BY_DOT | BY_CLOSE | BY_OTHER;
export const BEHIND_DIGITS: Uint8Array = WORD.map((flag, byte) => {
  const at = [SPACE, DASH, DOT, CLOSE].indexOf(byte);
  if (at >= 0) return 1 << at;
  // The letters that end a national insurance number.
  if (byte >= 0x41 && byte <= 0x44) return BY_SUFFIX;
  return flag === 1 ? 0 : BY_OTHER;
});
/** Longer runs are nothing. */
export const LONGEST = 20;

/** What runs of digits are or begin. Most are too short or in the middle of a word: two looks tell. */
export class Numbers {
  /** Whether any of its detectors is wanted. */
  readonly any: boolean;
  /** By the byte before a run: FREE and it may be something, INSIDE and it is nothing; else `mayBegin` tells. */
  readonly before: Uint8Array;
  /** By the length of a free run, up to LONGEST: what must stand behind it for it to be something. */
  readonly shapes: Uint8Array;
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
    this.before = WORD.map((flag, byte) => {
      if (UPPERCASE[byte] === 1 && (this.#iban || this.#nino)) return HEADED;
      if (ESCAPED[byte] === 1) return ESCAPE;
      return flag === 1 ? INSIDE : FREE;
    });
    const ip = this.#ip ? BY_DOT : 0;
    const nino = this.#nino ? BY_SPACE : 0;
    const ssn = this.#ssn ? BY_SPACE | BY_DASH : 0;
    const phone = this.#phone ? BY_DASH | BY_DOT | BY_CLOSE : 0;
    const suffix = this.#nino ? BY_SUFFIX : 0;
    this.shapes = new Uint8Array(LONGEST + 1);
    this.shapes.set([0, ip, ip | nino, ip | ssn | phone, this.#card ? BY_SPACE | BY_DASH : 0, 0, nino | suffix]);
    if (this.#card) this.shapes.fill(BY_ANY, 13, 20);
  }

  /** Whether a run behind a letter is no part of its word: behind two capitals that begin one, or behind an escape. */
  mayBegin(bytes: Uint8Array, from: number, at: number): boolean {
    if (at - 2 < from) return false;
    const first = bytes[at - 2] as number;
    if (UPPERCASE[bytes[at - 1] as number] === 0) return first === BACKSLASH;
    return UPPERCASE[first] === 1 && startsWord(bytes, from, at - 2);
  }

  /**
   * What the free run of digits `[at, stop)` is or begins, where its length and the byte behind it allow something.
   * Where a separator stands behind it, the next one tells most of them: that much is small enough to be inlined.
   */
  free(bytes: Uint8Array, from: number, at: number, stop: number, limit: number): Find | undefined {
    const length = stop - at;
    if (length > 6) return card(bytes, from, at, stop, limit);
    if (stop + 4 >= limit) return this.#short(bytes, from, at, stop, limit);
    const next = bytes[stop] as number;
    if (length === 3 && next !== DOT && next !== CLOSE) {
      if (bytes[stop + 3] === next) return this.#ssn ? ssn(bytes, from, at, stop, limit) : undefined;
      const mayBePhone = bytes[stop + 4] === next && stop + 8 < limit && isDigit(bytes[stop + 8] as number);
      return mayBePhone && this.#phone ? nationalPhone(bytes, from, at, stop, limit) : undefined;
    }
    if (length === 4) return mayBeGrouped(bytes, stop, limit) ? card(bytes, from, at, stop, limit) : undefined;
    return this.#short(bytes, from, at, stop, limit);
  }

  /** One, two, three or six digits. */
  #short(bytes: Uint8Array, from: number, at: number, stop: number, limit: number): Find | undefined {
    const next = stop < limit ? (bytes[stop] as number) : 0;
    const before = at > from ? (bytes[at - 1] as number) : 0;
    if (stop - at === 3 && this.#phone && (next === CLOSE || (stop + 4 < limit && bytes[stop + 4] === next))) {
      const find = nationalPhone(bytes, from, at, stop, limit);
      if (find) return find;
    }
    if (next === DOT) return this.#ip && before !== DOT ? ipv4(bytes, from, at, stop, limit) : undefined;
    return this.#nino && before === SPACE ? nino(bytes, from, at, stop, limit) : undefined;
  }

  /** What begins with two capitals and the run of digits `[at, stop)`, or is that run behind an escape. */
  headed(bytes: Uint8Array, from: number, at: number, stop: number, limit: number): Find | undefined {
    const length = stop - at;
    if (UPPERCASE[bytes[at - 1] as number] === 0) {
      const behind = stop < limit ? (BEHIND_DIGITS[bytes[stop] as number] as number) : BY_OTHER;
      const allowed = this.shapes[Math.min(length, LONGEST)] as number;
      return (allowed & behind) !== 0 ? this.free(bytes, from, at, stop, limit) : undefined;
    }
    if (this.#nino && (length === 6 || length === 2)) {
      const find = nino(bytes, from, at, stop, limit);
      if (find) return find;
    }
    return this.#iban && length >= 2 ? iban(bytes, from, at, limit) : undefined;
  }
}
