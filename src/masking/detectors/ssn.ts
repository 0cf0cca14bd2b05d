import { endsWord, isDigit, startsWord } from './bytes.ts';
import type { Find } from './hit.ts';

const [SPACE, DASH] = [0x20, 0x2d];
const KEEP_NONE = { kind: 'digits', keep: 0 } as const;

/**
 * A US social security number (`123-45-6789`, or with spaces), where the run of digits `[start, end)` is its area.
 * Areas 000, 666 and 900 up, group 00 and serial 0000 were never given out; from 900 up it is the IRS's number for
 * taxpayers without one (ITIN), in the groups that those have.
 */
export function ssn(bytes: Uint8Array, from: number, start: number, end: number, limit: number): Find | undefined {
  const group = end + 1;
  const serial = group + 3;
  const stop = serial + 4;
  if (end - start !== 3 || stop > limit) return undefined;
  const separator = bytes[end] as number;
  if ((separator !== DASH && separator !== SPACE) || bytes[group + 2] !== separator) return undefined;
  const area = number(bytes, start, end);
  const middle = number(bytes, group, group + 2);
  if (area <= 0 || area === 666 || (area >= 900 && !isTaxpayers(middle))) return undefined;
  if (middle <= 0 || number(bytes, serial, stop) <= 0) return undefined;
  if (!startsWord(bytes, from, start) || !endsWord(bytes, stop, limit)) return undefined;
  return { detector: 'ssn', start, end: stop, cover: KEEP_NONE };
}

function isTaxpayers(group: number): boolean {
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 99 && group !== 89 && group !== 93);
}

/** The number that these digits are; -1 where one of them is none. */
function number(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (!isDigit(byte)) return -1;
    value = value * 10 + byte - 0x30;
  }
  return value;
}
