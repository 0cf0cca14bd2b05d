import type { Clock, Random } from './clock.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Characters of an id: 22 base62 digits hold 128 bits. */
export const ID_LENGTH = 22;

const ID_PATTERN = /^[0-9A-Za-z]{22}$/;

/** True for text that could be an id this file made. */
export function isId(text: string): boolean {
  return ID_PATTERN.test(text);
}

/**
 * A 128-bit id that sorts by the time it was made: 48 bits of milliseconds, then 80 random bits, written as 22 base62
 * digits in ASCII order. Used for grants, sessions, nodes and approvals.
 */
export function newId(clock: Clock, random: Random): string {
  let value = BigInt(Math.max(0, Math.trunc(clock.now()))) & 0xffff_ffff_ffffn;
  for (const byte of random.bytes(10)) value = (value << 8n) | BigInt(byte);
  return base62(value, ID_LENGTH);
}

/** `length` base62 digits, each drawn evenly from `random` (values over the last whole multiple of 62 are redrawn). */
export function randomBase62(random: Random, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}

/** The value written in exactly `length` base62 digits, most significant first. */
export function base62(value: bigint, length: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < length; i++) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}
