import { endsWord, isDigit, PAIRS, pairOf, startsWord, UPPERCASE } from './bytes.ts';
import { ALL, type Find } from './hit.ts';

const SPACE = 0x20;
/** HMRC, National Insurance Manual NIM39110: which two letters it begins with. */
const PREFIX: Uint8Array = new Uint8Array(PAIRS);
for (const first of 'ABCEGHJKLMNOPRSTWXYZ') {
  for (const second of 'ABCEGHJKLMNPRSTWXYZ') {
    const isGiven = !['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ'].includes(first + second);
    PREFIX[pairOf(first.charCodeAt(0), second.charCodeAt(0))] = isGiven ? 1 : 0;
  }
}

/** A UK national insurance number, `AB123456C` or `AB 12 34 56 C`, where the run of digits `[digits, stop)` is its first. */
export function nino(bytes: Uint8Array, from: number, digits: number, stop: number, limit: number): Find | undefined {
  const spaced = stop - digits === 2;
  if (!spaced && stop - digits !== 6) return undefined;
  const gap = digits > from && bytes[digits - 1] === SPACE ? 1 : 0;
  const start = digits - gap - 2;
  if (start < from || stop >= limit || !isPrefix(bytes, start) || !startsWord(bytes, from, start)) return undefined;
  let at = stop;
  for (let pair = 1; spaced && pair < 3; pair++, at += 3) {
    if (bytes[at] !== SPACE || !isPair(bytes, at + 1, limit)) return undefined;
  }
  if (bytes[at] === SPACE) at++;
  const suffix = at < limit ? (bytes[at] ?? 0) : 0;
  if (suffix < 0x41 || suffix > 0x44 || !endsWord(bytes, at + 1, limit)) return undefined;
  return { detector: 'nino', start, end: at + 1, cover: ALL };
}

/** Two digits and no third. */
function isPair(bytes: Uint8Array, at: number, limit: number): boolean {
  if (at + 2 >= limit || isDigit(bytes[at + 2] as number)) return false;
  return isDigit(bytes[at] as number) && isDigit(bytes[at + 1] as number);
}

function isPrefix(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] as number;
  const second = bytes[at + 1] as number;
  return UPPERCASE[first] === 1 && UPPERCASE[second] === 1 && PREFIX[pairOf(first, second)] === 1;
}
