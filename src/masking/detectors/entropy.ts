import { afterEscape, BASE64, DIGIT, LOWERCASE, skip, TOKEN, UPPERCASE } from './bytes.ts';
import { ALL, type Find } from './hit.ts';

/** Keys are 24 bytes and more; what is longer than this is a document, not a key. */
const FEWEST = 32;
const MOST = 200;
/** Bits a character: 32 random letters of base64 have 4.6 on average, names and paths made of words about 4. */
const BITS = 4.2;
const [SLASH, EQUALS, DASH, UNDERSCORE] = [0x2f, 0x3d, 0x2d, 0x5f];
/** Base64 and base64url without the padding: what random keys without a prefix are written in. */
const KEY: Uint8Array = BASE64.map((flag, byte) => (byte === EQUALS ? 0 : flag | (TOKEN[byte] ?? 0)));
const counts = new Uint16Array(256);

/**
 * The next text from `at` on that looks random: one run of base64, with letters of both cases and digits mixed as in
 * no word. Hashes and identifiers in hex are none: they are in every database and open nothing.
 */
export function entropy(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  for (let i = at; i < limit; ) {
    while (i < limit && KEY[bytes[i] as number] === 0) i++;
    const end = skip(bytes, i, limit, KEY);
    const start = Math.min(end, afterEscape(bytes, from, i, end));
    if (end - start >= FEWEST && end - start <= MOST && isRandom(bytes, start, end)) {
      return { detector: 'entropy', start, end, cover: ALL };
    }
    i = end;
  }
  return undefined;
}

function isRandom(bytes: Uint8Array, start: number, end: number): boolean {
  let [upper, lower, digits, marks] = [0, 0, 0, 0];
  counts.fill(0);
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
    upper += UPPERCASE[byte] ?? 0;
    lower += LOWERCASE[byte] ?? 0;
    digits += DIGIT[byte] ?? 0;
    if (byte === SLASH || byte === DASH || byte === UNDERSCORE) marks++;
  }
  // Paths and names in kebab case have marks between words; random text has one in 32 characters.
  const length = end - start;
  if (upper < 4 || lower < 4 || digits < 3 || marks > Math.max(2, length / 12)) return false;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / length) * Math.log2(count / length);
  return bits >= BITS;
}
