import { afterEscape, DOMAIN, LETTER, LOCAL } from './bytes.ts';
import { ADDRESS, type Find } from './hit.ts';

const DOT = 0x2e;
/** RFC 5321, 4.5.3.1. */
const MOST_LOCAL = 64;
const MOST_DOMAIN = 255;
/** `a.bc` */
const FEWEST_DOMAIN = 4;
/** What a domain begins with. */
const FIRST: Uint8Array = DOMAIN.map((flag, byte) => (byte === DOT || byte === 0x2d ? 0 : flag));

/** An e-mail address around the `@` at `sign`; nothing before `from` belongs to it. */
export function email(bytes: Uint8Array, from: number, sign: number, limit: number): Find | undefined {
  // The domain first: without one, nothing before the sign matters.
  const end = domain(bytes, sign, limit);
  if (end === 0) return undefined;
  let start = sign;
  const lowest = Math.max(from, sign - MOST_LOCAL);
  while (start > lowest && LOCAL[bytes[start - 1] as number] === 1) start--;
  while (start < sign && continues(bytes[start] as number)) start++;
  if (start < sign) start = afterEscape(bytes, from, start, sign);
  return start < sign ? { detector: 'email', start, end, cover: ADDRESS } : undefined;
}

/** Where the domain behind `sign` ends; 0 when it is none: a top level of two letters at least, below something. */
function domain(bytes: Uint8Array, sign: number, limit: number): number {
  const highest = Math.min(limit, sign + 1 + MOST_DOMAIN);
  let end = sign + 1;
  if (end >= limit || FIRST[bytes[end] as number] === 0) return 0;
  let hasDot = false;
  for (; end < highest; end++) {
    const byte = bytes[end] as number;
    if (DOMAIN[byte] === 0) break;
    if (byte === DOT) hasDot = true;
  }
  if (!hasDot || end - sign <= FEWEST_DOMAIN) return 0;
  // Cut at the longest domain there is, the last character may have lost its end.
  while (end < limit && end > sign && continues(bytes[end] as number)) end--;
  while (FIRST[bytes[end - 1] as number] === 0 && end > sign + 1) end--;
  let top = end;
  while (top > sign && LETTER[bytes[top - 1] as number] === 1) top--;
  return bytes[top - 1] === DOT && end - top >= 2 && top - 1 > sign + 1 ? end : 0;
}

function continues(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
