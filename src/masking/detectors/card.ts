import { DIGIT, endsWord, skip, startsWord } from './bytes.ts';
import type { Find } from './hit.ts';

const SPACE = 0x20;
const DASH = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const KEEP_FOUR = { kind: 'digits', keep: 4 } as const;

/**
 * A payment card number, where the run of digits `[start, end)` is it or its first group: 13 to 19 digits in one run,
 * or 4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4 with one kind of separator; a known issuer range and the Luhn check digit.
 */
export function card(bytes: Uint8Array, from: number, start: number, end: number, limit: number): Find | undefined {
  const length = end - start;
  if (length !== 4 && (length < 13 || length > 19)) return undefined;
  if (!startsWord(bytes, from, start) || isFraction(bytes, from, start)) return undefined;
  if (length !== 4) return whole(bytes, start, end, limit);
  const last = grouped(bytes, end, limit);
  if (last < 0) return undefined;
  const longer = last === end + 15 && group(bytes, last, limit, bytes[end] ?? 0) === 3 ? last + 4 : last;
  return whole(bytes, start, longer, limit) ?? (longer === last ? undefined : whole(bytes, start, last, limit));
}

function whole(bytes: Uint8Array, start: number, end: number, limit: number): Find | undefined {
  if (!endsWord(bytes, end, limit) || isDecimal(bytes, end, limit) || !checks(bytes, start, end)) return undefined;
  return { detector: 'card', start, end, cover: KEEP_FOUR };
}

/** Where the groups behind a first group of four end; -1 when they do not make a card number. */
function grouped(bytes: Uint8Array, first: number, limit: number): number {
  const separator = bytes[first];
  if (separator !== SPACE && separator !== DASH) return -1;
  const second = group(bytes, first, limit, separator);
  if (second === 6) {
    const third = group(bytes, first + 7, limit, separator);
    return third === 4 || third === 5 ? first + 8 + third : -1;
  }
  if (second !== 4) return -1;
  for (let at = first + 5, groups = 2; groups < 4; groups++, at += 5) {
    if (group(bytes, at, limit, separator) !== 4) return -1;
  }
  return first + 15;
}

/** Digits of the group behind the separator at `at`; 0 when there is none. */
function group(bytes: Uint8Array, at: number, limit: number, separator: number): number {
  return at < limit && bytes[at] === separator ? skip(bytes, at + 1, Math.min(limit, at + 8), DIGIT) - at - 1 : 0;
}

/** `0.4111…`: the digits behind a decimal point. */
function isFraction(bytes: Uint8Array, from: number, start: number): boolean {
  return start - 2 >= from && bytes[start - 1] === DOT && DIGIT[bytes[start - 2] ?? 0] === 1;
}

function isDecimal(bytes: Uint8Array, end: number, limit: number): boolean {
  return end + 1 < limit && bytes[end] === DOT && DIGIT[bytes[end + 1] ?? 0] === 1;
}

function checks(bytes: Uint8Array, start: number, end: number): boolean {
  let prefix = 0;
  let count = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0) continue;
    if (count < 4) prefix = prefix * 10 + digit;
    count++;
  }
  return issues(prefix, count) && luhn(bytes, start, end);
}

/** Ranges of ISO/IEC 7812 issuers that cards are issued in, and the lengths of their numbers. */
function issues(prefix: number, length: number): boolean {
  const two = Math.trunc(prefix / 100);
  if (prefix >= 4000 && prefix < 5000) return length === 13 || length === 16 || length === 19; // Visa
  if (two === 34 || two === 37) return length === 15; // American Express
  if (two === 30 || two === 36 || two === 38 || two === 39) return length === 14 || length === 16; // Diners Club
  if (two === 35) return length >= 16; // JCB
  if (prefix >= 2200 && prefix <= 2204) return length >= 16; // Mir
  if (prefix >= 2205 && prefix <= 2720) return length === 16; // Borica, Troy, Mastercard
  if (two >= 51 && two <= 55) return length === 16; // Mastercard
  if (two === 50 || (two >= 56 && two <= 58)) return true; // Maestro
  if (two === 81 || two === 82) return length >= 16; // UnionPay, RuPay
  return two >= 60 && two <= 69 && length >= 16; // Discover, UnionPay, RuPay, Maestro
}

function luhn(bytes: Uint8Array, start: number, end: number): boolean {
  let sum = 0;
  let double = false;
  for (let i = end - 1; i >= start; i--) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0) continue;
    const weighed = double ? digit * 2 : digit;
    sum += weighed > 9 ? weighed - 9 : weighed;
    double = !double;
  }
  return sum % 10 === 0;
}
