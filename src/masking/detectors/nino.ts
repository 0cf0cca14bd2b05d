import { DIGIT, endsWord, skip, startsWord, UPPERCASE } from './bytes.ts';
import { ALL, type Find } from './hit.ts';

const SPACE = 0x20;
/** HMRC, National Insurance Manual NIM39110. */
const NEVER_FIRST: Uint8Array = letters('DFIQUV');
const NEVER_SECOND: Uint8Array = letters('DFIOQUV');
const NEVER_PREFIX: ReadonlySet<string> = new Set(['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ']);

/** A UK national insurance number, `AB123456C` or `AB 12 34 56 C`, where the run of digits `[digits, stop)` is its first. */
export function nino(bytes: Uint8Array, from: number, digits: number, stop: number, limit: number): Find | undefined {
  const spaced = stop - digits === 2;
  if (!spaced && stop - digits !== 6) return undefined;
  const gap = bytes[digits - 1] === SPACE ? 1 : 0;
  const start = digits - gap - 2;
  if (start < from || !isPrefix(bytes, start) || !startsWord(bytes, from, start)) return undefined;
  let at = stop;
  for (let pair = 1; spaced && pair < 3; pair++, at += 3) {
    if (bytes[at] !== SPACE || skip(bytes, at + 1, limit, DIGIT) !== at + 3) return undefined;
  }
  if (bytes[at] === SPACE) at++;
  const suffix = at < limit ? (bytes[at] ?? 0) : 0;
  if (suffix < 0x41 || suffix > 0x44 || !endsWord(bytes, at + 1, limit)) return undefined;
  return { detector: 'nino', start, end: at + 1, cover: ALL };
}

function isPrefix(bytes: Uint8Array, at: number): boolean {
  const [first = 0, second = 0] = [bytes[at], bytes[at + 1]];
  if (UPPERCASE[first] === 0 || UPPERCASE[second] === 0) return false;
  if (NEVER_FIRST[first] === 1 || NEVER_SECOND[second] === 1) return false;
  return !NEVER_PREFIX.has(String.fromCharCode(first, second));
}

function letters(text: string): Uint8Array {
  const flags = new Uint8Array(256);
  for (const letter of text) flags[letter.charCodeAt(0)] = 1;
  return flags;
}
