/**
 * Character classes of bytes, one table each, so that scanners look a byte up instead of comparing it. Indices that are
 * known to be in bounds are read `as number`: anything else costs a branch at every byte.
 */

export function table(characters: string, wide: 0 | 1 = 0): Uint8Array {
  const flags = new Uint8Array(256);
  for (const char of characters) flags[char.charCodeAt(0)] = 1;
  if (wide) flags.fill(1, 0x80);
  return flags;
}

const DIGITS = '0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = UPPER.toLowerCase();

export const DIGIT: Uint8Array = table(DIGITS);
export const UPPERCASE: Uint8Array = table(UPPER);
export const LOWERCASE: Uint8Array = table(LOWER);
export const HEX: Uint8Array = table(`${DIGITS}ABCDEFabcdef`);
export const LETTER: Uint8Array = table(UPPER + LOWER, 1);
export const WORD: Uint8Array = table(`${UPPER}${LOWER}${DIGITS}_`);
/** What tokens are made of: base64url. */
export const TOKEN: Uint8Array = table(`${UPPER}${LOWER}${DIGITS}_-`);
export const BASE64: Uint8Array = table(`${UPPER}${LOWER}${DIGITS}+/=`);
export const LOCAL: Uint8Array = table(`${UPPER}${LOWER}${DIGITS}._%+-`, 1);
export const DOMAIN: Uint8Array = table(`${UPPER}${LOWER}${DIGITS}.-`, 1);
/** Letters that stand for a control character behind a backslash, in JSON, arrays and COPY. */
export const ESCAPED: Uint8Array = table('nrtbfv');

export const STAR = 0x2a;
export const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/** No word runs into what starts at `at`. The letter of an escape (`\n`) is not a word. */
export function startsWord(bytes: Uint8Array, start: number, at: number): boolean {
  if (at <= start) return true;
  const before = bytes[at - 1] as number;
  if (WORD[before] === 0) return true;
  return at - 2 >= start && ESCAPED[before] === 1 && bytes[at - 2] === BACKSLASH;
}

/** Where text begins that is not the letters of an escape (`\\n`, `\\u00e9`): covered, an escape would not decode. */
export function afterEscape(bytes: Uint8Array, from: number, start: number, limit: number): number {
  let backslashes = 0;
  while (start - backslashes > from && bytes[start - backslashes - 1] === BACKSLASH) backslashes++;
  if (backslashes % 2 === 0) return start;
  return Math.min(limit, start + (bytes[start] === LOWER_U ? 5 : 1));
}

/** The same where the text lies in an array of JSON, whose escapes are escaped once more: `\\\\n`. */
export function pastEscape(bytes: Uint8Array, from: number, start: number): number {
  if (start <= from || bytes[start - 1] !== BACKSLASH) return start;
  const first = bytes[start] ?? 0;
  if (first === LOWER_U) return start + 5;
  return ESCAPED[first] === 1 ? start + 1 : start;
}

/** No word goes on at `at`. */
export function endsWord(bytes: Uint8Array, at: number, end: number): boolean {
  return at >= end || WORD[bytes[at] as number] === 0;
}

/** Below ten only for the ten digits: `0x30` to `0x39`. */
export function isDigit(byte: number): boolean {
  return (byte ^ 0x30) < 10;
}

export const PAIRS = 1024;

/** A number below PAIRS for two capitals, to look them up by. */
export function pairOf(first: number, second: number): number {
  return ((first & 0x1f) << 5) | (second & 0x1f);
}

/** First index from `at` on, below `end`, whose byte is not of the class. */
export function skip(bytes: Uint8Array, at: number, end: number, flags: Uint8Array): number {
  let i = at;
  while (i < end && flags[bytes[i] as number] === 1) i++;
  return i;
}

/** Whether these characters stand at `at`, before `end`. */
export function standsAt(bytes: Uint8Array, at: number, end: number, characters: string): boolean {
  if (at < 0 || at + characters.length > end) return false;
  for (let i = 0; i < characters.length; i++) if (bytes[at + i] !== characters.charCodeAt(i)) return false;
  return true;
}
