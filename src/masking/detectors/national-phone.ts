import { DIGIT, endsWord, isDigit, skip, startsWord } from './bytes.ts';
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
  if (end - start !== 3 || end + 9 > limit) return undefined;
  const bracketed = start > from && bytes[start - 1] === OPEN && bytes[end] === CLOSE;
  const separator = bracketed ? DASH : bytes[end];
  if ((separator !== DASH && separator !== DOT) || !isCode(bytes, start)) return undefined;
  const exchange = end + (bracketed && bytes[end + 1] === SPACE ? 2 : 1);
  const stop = exchange + 8;
  if (stop > limit || bytes[exchange + 3] !== separator || !isCode(bytes, exchange)) return undefined;
  if (skip(bytes, exchange, exchange + 3, DIGIT) !== exchange + 3) return undefined;
  if (skip(bytes, exchange + 4, stop, DIGIT) !== stop) return undefined;
  const first = bracketed ? start - 1 : start;
  if (!startsWord(bytes, from, first) || continues(bytes, from, first) || !endsWord(bytes, stop, limit))
    return undefined;
  if (stop + 1 < limit && (bytes[stop] === separator || bytes[stop] === DOT) && isDigit(bytes[stop + 1] as number))
    return undefined;
  return { detector: 'phone', start: first, end: stop, cover: KEEP_TWO };
}

function isCode(bytes: Uint8Array, at: number): boolean {
  return (bytes[at] as number) >= TWO && !(bytes[at + 1] === 0x31 && bytes[at + 2] === 0x31);
}

/** More digits before it, by a dash or a dot: it is the end of something longer. */
function continues(bytes: Uint8Array, from: number, at: number): boolean {
  if (at - 2 < from) return false;
  const before = bytes[at - 1];
  return (before === DASH || before === DOT) && isDigit(bytes[at - 2] as number);
}
