import { afterEscape, DOMAIN, LETTER, LOCAL } from './bytes.ts';
import { ADDRESS, type Find } from './hit.ts';

const DOT = 0x2e;
const DASH = 0x2d;
/** RFC 5321, 4.5.3.1. */
const MOST_LOCAL = 64;
const MOST_DOMAIN = 255;
/** `a.bc` */
const FEWEST_DOMAIN = 4;

/** An e-mail address around the `@` at `sign`; nothing before `from` belongs to it. */
export function email(bytes: Uint8Array, from: number, sign: number, limit: number): Find | undefined {
  // The domain first: without one, nothing before the sign matters.
  const highest = Math.min(limit, sign + 1 + MOST_DOMAIN);
  let end = sign + 1;
  while (end < highest && DOMAIN[bytes[end] ?? 0] === 1) end++;
  if (end - sign <= FEWEST_DOMAIN || bytes[sign + 1] === DOT || bytes[sign + 1] === DASH) return undefined;
  while (end < limit && end > sign && continues(bytes[end])) end--;
  while (end > sign + 1 && (bytes[end - 1] === DOT || bytes[end - 1] === DASH)) end--;
  let top = end;
  while (top > sign && LETTER[bytes[top - 1] ?? 0] === 1) top--;
  // A top level domain has two letters at least, behind a dot that has something before it.
  if (bytes[top - 1] !== DOT || end - top < 2 || top - 1 <= sign + 1) return undefined;

  let start = sign;
  const lowest = Math.max(from, sign - MOST_LOCAL);
  while (start > lowest && LOCAL[bytes[start - 1] ?? 0] === 1) start--;
  while (start < sign && continues(bytes[start])) start++;
  if (start < sign) start = afterEscape(bytes, from, start, sign);
  return start < sign ? { detector: 'email', start, end, cover: ADDRESS } : undefined;
}

function continues(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
