import { DIGIT, endsWord, skip, startsWord } from './bytes.ts';
import type { Find } from './hit.ts';

const KEEP_NONE = { kind: 'digits', keep: 0 } as const;

/**
 * A US social security number (`123-45-6789`, or with spaces), where the run of digits `[start, end)` is its area.
 * Areas 000, 666 and 900 up, group 00 and serial 0000 were never given out; from 900 up it is the IRS's number for
 * taxpayers without one (ITIN), in the groups that those have.
 */
export function ssn(bytes: Uint8Array, from: number, start: number, end: number, limit: number): Find | undefined {
  const separator = bytes[end];
  if (end - start !== 3 || (separator !== 0x2d && separator !== 0x20)) return undefined;
  const group = end + 1;
  const serial = group + 3;
  if (serial + 4 > limit || bytes[group + 2] !== separator) return undefined;
  if (skip(bytes, group, group + 2, DIGIT) !== group + 2) return undefined;
  if (skip(bytes, serial, serial + 4, DIGIT) !== serial + 4) return undefined;
  if (!startsWord(bytes, from, start) || !endsWord(bytes, serial + 4, limit)) return undefined;
  const area = number(bytes, start, end);
  const middle = number(bytes, group, group + 2);
  if (area === 0 || area === 666 || (area >= 900 && !isTaxpayers(middle))) return undefined;
  if (middle === 0 || number(bytes, serial, serial + 4) === 0) return undefined;
  return { detector: 'ssn', start, end: serial + 4, cover: KEEP_NONE };
}

function isTaxpayers(group: number): boolean {
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 99 && group !== 89 && group !== 93);
}

function number(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + (bytes[i] as number) - 0x30;
  return value;
}
