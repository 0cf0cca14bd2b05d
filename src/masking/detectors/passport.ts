import { DIGIT, startsWord, UPPERCASE } from './bytes.ts';
import { ALL, type Find } from './hit.ts';

const [FILLER, LETTER_P, BACKSLASH, LETTER_N] = [0x3c, 0x50, 0x5c, 0x6e];
const LINE = 44;
const WEIGHTS = [7, 3, 1] as const;

/**
 * The machine-readable zone of a passport (ICAO 9303-4, TD3) around the first `<` of `P<`: the line with the names, and
 * with it the line of the numbers where that follows and its check digits are right.
 */
export function passport(bytes: Uint8Array, from: number, filler: number, limit: number): Find | undefined {
  const start = filler - 1;
  if (start < from || bytes[start] !== LETTER_P || start + LINE > limit || !startsWord(bytes, from, start))
    return undefined;
  // Where the line must end first: that lets one line in be read for each end of a line, not one for each `P<`.
  if (isOf(bytes, start + LINE, limit)) return undefined;
  let fillers = 0;
  for (let i = start + 2; i < start + LINE; i++) {
    if (bytes[i] === FILLER) fillers++;
    else if (UPPERCASE[bytes[i] as number] === 0) return undefined;
  }
  if (fillers < 2) return undefined;
  const second = lineBreak(bytes, start + LINE, limit);
  const end = second > 0 && isSecond(bytes, second, limit) ? second + LINE : start + LINE;
  return { detector: 'passport', start: start + 2, end, cover: ALL };
}

/** Where the next line begins, behind a real or an escaped line break; 0 where none does. */
function lineBreak(bytes: Uint8Array, at: number, limit: number): number {
  if (at >= limit) return 0;
  if (bytes[at] === 0x0a || bytes[at] === 0x20) return at + 1;
  if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) return at + 2;
  return bytes[at] === BACKSLASH && bytes[at + 1] === LETTER_N ? at + 2 : 0;
}

function isSecond(bytes: Uint8Array, at: number, limit: number): boolean {
  if (at + LINE > limit || isOf(bytes, at + LINE, limit)) return false;
  for (let i = at; i < at + LINE; i++) if (!isOf(bytes, i, limit)) return false;
  return [
    [0, 9],
    [13, 19],
    [21, 27],
  ].every(([start = 0, end = 0]) => checkDigit(bytes, at + start, at + end) === (bytes[at + end] ?? 0) - 0x30);
}

function checkDigit(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += weightOf(bytes[i] ?? 0) * (WEIGHTS[(i - start) % 3] ?? 1);
  return sum % 10;
}

function weightOf(byte: number): number {
  if (byte === FILLER) return 0;
  return DIGIT[byte] === 1 ? byte - 0x30 : byte - 0x41 + 10;
}

function isOf(bytes: Uint8Array, at: number, limit: number): boolean {
  const byte = at < limit ? (bytes[at] ?? 0) : 0;
  return byte === FILLER || DIGIT[byte] === 1 || UPPERCASE[byte] === 1;
}
