import { DIGIT, endsWord, skip, startsWord } from './bytes.ts';
import type { Find } from './hit.ts';

const KEEP_TWO = { kind: 'digits', keep: 2 } as const;
const [OPEN, CLOSE, SPACE, DASH, DOT, TWO] = [0x28, 0x29, 0x20, 0x2d, 0x2e, 0x32];

/**
 * A North American number without its country, where the run of digits `[start, end)` is its area: `212-555-0123`,
 * `212.555.0123`, `(212) 555-0123`. Area and exchange begin with 2 to 9 and are no service code (N11).
 */
export function nationalPhone(
  bytes: Uint8Array,
  from: number,
  start: number,
  end: number,
  limit: number,
): Find | undefined {
  const bracketed = start > from && bytes[start - 1] === OPEN && bytes[end] === CLOSE;
  const separator = bracketed ? DASH : bytes[end];
  if (end - start !== 3 || (separator !== DASH && separator !== DOT) || !isCode(bytes, start)) return undefined;
  const exchange = end + (bracketed && bytes[end + 1] === SPACE ? 2 : 1);
  const last = exchange + 7;
  if (last + 1 > limit || bytes[exchange + 3] !== separator || !isCode(bytes, exchange)) return undefined;
  if (skip(bytes, exchange, exchange + 3, DIGIT) !== exchange + 3) return undefined;
  if (skip(bytes, exchange + 4, exchange + 8, DIGIT) !== exchange + 8) return undefined;
  const first = bracketed ? start - 1 : start;
  if (!startsWord(bytes, from, first) || continues(bytes, from, first) || !endsWord(bytes, exchange + 8, limit))
    return undefined;
  if ((bytes[exchange + 8] === separator || bytes[exchange + 8] === DOT) && isDigit(bytes, exchange + 9, limit))
    return undefined;
  return { detector: 'phone', start: first, end: exchange + 8, cover: KEEP_TWO };
}

function isCode(bytes: Uint8Array, at: number): boolean {
  return (bytes[at] ?? 0) >= TWO && !(bytes[at + 1] === 0x31 && bytes[at + 2] === 0x31);
}

/** More digits before it, by a dash or a dot: it is the end of something longer. */
function continues(bytes: Uint8Array, from: number, at: number): boolean {
  const before = bytes[at - 1];
  return at - 2 >= from && (before === DASH || before === DOT) && DIGIT[bytes[at - 2] ?? 0] === 1;
}

function isDigit(bytes: Uint8Array, at: number, limit: number): boolean {
  return at < limit && DIGIT[bytes[at] ?? 0] === 1;
}
