import { endsWord, isDigit, startsWord } from './bytes.ts';
import type { Find } from './hit.ts';
import { isIssued } from './issuers.ts';

const [SPACE, DASH, DOT, ZERO] = [0x20, 0x2d, 0x2e, 0x30];
const KEEP_FOUR = { kind: 'digits', keep: 4 } as const;

/** More than the digits of any number weigh together. */
const NO_DIGIT = 0x400;
/** ISO/IEC 7812-1, annex B: every second digit from the right counts twice, and of two digits their sum. */
const ONCE: Uint16Array = weights('0123456789');
const TWICE: Uint16Array = weights('0516273849');

/** What each digit weighs, where its weight is its place in this order of digits; whatever is no digit weighs too much. */
function weights(order: string): Uint16Array {
  const table = new Uint16Array(256).fill(NO_DIGIT);
  for (const [weight, digit] of Array.from(order).entries()) table[digit.charCodeAt(0)] = weight;
  return table;
}

/** Whether the separator behind a first group of four, at `at`, stands behind a second one of four or six again. */
export function mayBeGrouped(bytes: Uint8Array, at: number, limit: number): boolean {
  if (at + 12 > limit) return false;
  const separator = bytes[at] as number;
  return bytes[at + 5] === separator || bytes[at + 7] === separator;
}

/**
 * A payment card number, where the run of digits `[start, end)` is it or its first group: 13 to 19 digits in one run,
 * or 4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4 with one kind of separator; a known issuer range and the Luhn check digit.
 */
export function card(bytes: Uint8Array, from: number, start: number, end: number, limit: number): Find | undefined {
  const length = end - start;
  if (length !== 4 && (length < 13 || length > 19)) return undefined;
  const stop = length === 4 ? grouped(bytes, start, limit) : plain(bytes, start, end, limit);
  if (stop === 0 || !startsWord(bytes, from, start) || isFraction(bytes, from, start)) return undefined;
  return { detector: 'card', start, end: stop, cover: KEEP_FOUR };
}

/** Where the number in one run ends; 0 when it is none. */
function plain(bytes: Uint8Array, start: number, end: number, limit: number): number {
  const length = end - start;
  let sum = 0;
  let at = start;
  if (length % 2 === 1) sum += weigh(bytes, at++, ONCE);
  for (; at < end; at += 2) sum += pair(bytes, at, TWICE, ONCE);
  // The sum first: nine in ten are done with, while half the prefixes are issued.
  return checks(sum) && isIssued(prefix(bytes, start), length) && ends(bytes, end, limit) ? end : 0;
}

/** Where the number that begins with a group of four ends; 0 when there is none. */
function grouped(bytes: Uint8Array, start: number, limit: number): number {
  if (start + 16 > limit) return 0;
  const separator = bytes[start + 4] as number;
  if (separator !== SPACE && separator !== DASH) return 0;
  if (bytes[start + 9] === separator) return fours(bytes, start, limit, separator);
  return bytes[start + 11] === separator ? sixth(bytes, start, limit) : 0;
}

/** 4-4-4-4, with or without three more. */
function fours(bytes: Uint8Array, start: number, limit: number, separator: number): number {
  const end = start + 19;
  if (end > limit || bytes[start + 14] !== separator) return 0;
  if (end + 4 <= limit && bytes[end] === separator && !(end + 4 < limit && isDigit(bytes[end + 4] as number))) {
    const sum = allFours(bytes, start, ONCE, TWICE) + pair(bytes, end + 1, ONCE, TWICE) + weigh(bytes, end + 3, ONCE);
    if (checks(sum) && isIssued(prefix(bytes, start), 19) && ends(bytes, end + 4, limit)) return end + 4;
  }
  const sum = allFours(bytes, start, TWICE, ONCE);
  return checks(sum) && isIssued(prefix(bytes, start), 16) && ends(bytes, end, limit) ? end : 0;
}

/** 4-6-5 and 4-6-4. */
function sixth(bytes: Uint8Array, start: number, limit: number): number {
  const isLonger = start + 16 < limit && isDigit(bytes[start + 16] as number);
  const [odd, even] = isLonger ? [ONCE, TWICE] : [TWICE, ONCE];
  let sum = four(bytes, start, odd, even) + four(bytes, start + 5, odd, even) + pair(bytes, start + 9, odd, even);
  sum += four(bytes, start + 12, odd, even);
  if (isLonger) sum += weigh(bytes, start + 16, ONCE);
  const length = isLonger ? 15 : 14;
  const end = start + length + 2;
  return checks(sum) && isIssued(prefix(bytes, start), length) && ends(bytes, end, limit) ? end : 0;
}

function checks(sum: number): boolean {
  return sum % 10 === 0 && sum < NO_DIGIT;
}

function allFours(bytes: Uint8Array, start: number, odd: Uint16Array, even: Uint16Array): number {
  return (
    four(bytes, start, odd, even) +
    four(bytes, start + 5, odd, even) +
    four(bytes, start + 10, odd, even) +
    four(bytes, start + 15, odd, even)
  );
}

function four(bytes: Uint8Array, at: number, odd: Uint16Array, even: Uint16Array): number {
  return pair(bytes, at, odd, even) + pair(bytes, at + 2, odd, even);
}

function pair(bytes: Uint8Array, at: number, odd: Uint16Array, even: Uint16Array): number {
  return weigh(bytes, at, odd) + weigh(bytes, at + 1, even);
}

function weigh(bytes: Uint8Array, at: number, weight: Uint16Array): number {
  return weight[bytes[at] as number] as number;
}

/** The number that the four digits at `at` are. */
function prefix(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 1000 +
    (bytes[at + 1] as number) * 100 +
    (bytes[at + 2] as number) * 10 +
    (bytes[at + 3] as number) -
    ZERO * 1111
  );
}

/** `0.4111…`: the digits behind a decimal point. */
function isFraction(bytes: Uint8Array, from: number, start: number): boolean {
  return start - 2 >= from && bytes[start - 1] === DOT && isDigit(bytes[start - 2] as number);
}

/** Neither a word nor a fraction goes on at `end`. */
function ends(bytes: Uint8Array, end: number, limit: number): boolean {
  if (!endsWord(bytes, end, limit)) return false;
  return end + 1 >= limit || bytes[end] !== DOT || !isDigit(bytes[end + 1] as number);
}
