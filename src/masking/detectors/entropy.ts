import { afterEscape, BASE64, DIGIT, LOWERCASE, skip, TOKEN, UPPERCASE } from './bytes.ts';
import { ALL, type Find } from './hit.ts';

/** Keys are 24 bytes and more; what is longer than this is a document, not a key. */
const FEWEST = 32;
const MOST = 200;
/** Bits a character: 32 random letters of base64 have 4.6 on average, names and paths made of words about 4. */
const BITS = 4.2;
const [SLASH, EQUALS, DASH, UNDERSCORE] = [0x2f, 0x3d, 0x2d, 0x5f];
/** Base64 and base64url without the padding: what random keys without a prefix are written in. */
const KEY: Uint8Array = BASE64.map((flag, byte) => (byte === EQUALS ? 0 : flag | (TOKEN[byte] as number)));

/**
 * The next text from `at` on that looks random: one run of base64, with letters of both cases and digits mixed as in
 * no word. Hashes and identifiers in hex are none: they are in every database and open nothing.
 */
export function entropy(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  // A run is looked for from the last of its fewest bytes backwards, so that in prose most bytes are never looked at.
  let known = at;
  for (let first = at; first + FEWEST <= limit; ) {
    let back = first + FEWEST - 1;
    while (back >= known && KEY[bytes[back] as number] === 1) back--;
    if (back >= known) {
      known = first + FEWEST;
      first = back + 1;
      continue;
    }
    const end = skip(bytes, first + FEWEST, limit, KEY);
    const start = Math.min(end, afterEscape(bytes, from, first, end));
    if (end - start >= FEWEST && end - start <= MOST && isMixed(bytes, start, end) && isRandom(bytes, start, end)) {
      return { detector: 'entropy', start, end, cover: ALL };
    }
    first = end + 1;
    known = first;
  }
  return undefined;
}

/** How often each class occurs in a run, eight bits each: a run is too short for one count to reach the next. */
const [UPPER, LOWER, DIGITS, MARKS] = [0, 8, 16, 24];
const CLASSES: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  if (byte === SLASH || byte === DASH || byte === UNDERSCORE) return 1 << MARKS;
  return (
    ((UPPERCASE[byte] as number) << UPPER) |
    ((LOWERCASE[byte] as number) << LOWER) |
    ((DIGIT[byte] as number) << DIGITS)
  );
});

/** Letters of both cases and digits, and few marks: paths and names have them between words, random text one in 32 bytes. */
function isMixed(bytes: Uint8Array, start: number, end: number): boolean {
  let classes = 0;
  for (let i = start; i < end; i++) classes = (classes + (CLASSES[bytes[i] as number] as number)) | 0;
  const marks = classes >>> MARKS;
  if ((classes & 0xff) < 4 || ((classes >>> LOWER) & 0xff) < 4 || ((classes >>> DIGITS) & 0xff) < 3) return false;
  return marks <= Math.max(2, (end - start) / 12);
}

const counts = new Uint8Array(128);
/** By how much `n log2 n` grows from one count to the next. */
const GROWTH: Float64Array = Float64Array.from({ length: MOST + 1 }, (_, n) => weight(n + 1) - weight(n));

function weight(count: number): number {
  return count === 0 ? 0 : count * Math.log2(count);
}

/**
 * Whether the entropy is high enough. It is `log2 n` less the mean of `log2` of the counts, so the sum of the
 * counts' weights may only grow so far.
 */
function isRandom(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  const most = length * (Math.log2(length) - BITS);
  counts.fill(0);
  let sum = 0;
  for (let i = start; i < end && sum <= most; i++) {
    const byte = bytes[i] as number;
    const count = counts[byte] as number;
    counts[byte] = count + 1;
    sum += GROWTH[count] as number;
  }
  return sum <= most;
}
