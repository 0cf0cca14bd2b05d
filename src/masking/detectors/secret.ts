import { skip, standsAt, startsWord, TOKEN, table, WORD } from './bytes.ts';
import { ALL, ARMOUR, type Find } from './hit.ts';

const DASH = 0x2d;

interface Prefix {
  readonly text: string;
  /** Fewest characters that must follow. */
  readonly fewest: number;
  /** Whether what follows may hold dashes. */
  readonly dashes: boolean;
}

function prefixes(list: string, fewest: number, dashes = false): Prefix[] {
  return list.split(' ').map((text) => ({ text, fewest, dashes }));
}

/** As their makers publish them; the lengths are lower bounds, since makers lengthen them. */
const PREFIXES: readonly Prefix[] = [
  ...prefixes('slp_', 40), // our own passes
  ...prefixes('ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ npm_ hf_ dckr_pat_ rubygems_ sbp_', 30),
  ...prefixes('dop_v1_ doo_v1_ dor_v1_ shpat_ shpca_ shppa_ shpss_ lin_api_', 30),
  ...prefixes('sk_live_ rk_live_ sk_test_ rk_test_ whsec_ glsa_', 16),
  ...prefixes('glpat- gldt- glrt- glptt- glcbt- glft- glsoat- xoxb- xoxp- xoxa- xoxs- xoxr- xoxe- xapp-', 16, true),
  ...prefixes('sk- pypi- GOCSPX- NRAK- PMAK-', 20, true),
];

/** What stands before the mark that ends a prefix. */
export const ENDS_PREFIX: Uint8Array = table(PREFIXES.map(({ text }) => text.at(-2)).join(''));

/** What the two characters before a mark tell: the number, from one, of a list of prefixes that end with them. */
const BY_ENDING: Uint8Array = new Uint8Array(128 * 128);
const LISTS: Prefix[][] = [[]];
for (const prefix of PREFIXES) {
  const ending = endingOf(
    prefix.text.charCodeAt(prefix.text.length - 3),
    prefix.text.charCodeAt(prefix.text.length - 2),
  );
  if (BY_ENDING[ending] === 0) BY_ENDING[ending] = LISTS.push([]) - 1;
  LISTS[BY_ENDING[ending] as number]?.push(prefix);
}

/** Of wide characters only some bits: what is found by them is compared whole. */
function endingOf(first: number, second: number): number {
  return ((first & 0x7f) << 7) | (second & 0x7f);
}

/** A token whose prefix ends with the `_` or `-` at `at`. */
export function token(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  if (at - 2 < from) return undefined;
  const list = BY_ENDING[endingOf(bytes[at - 2] as number, bytes[at - 1] as number)] as number;
  if (list === 0) return undefined;
  for (const { text, fewest, dashes } of LISTS[list] as readonly Prefix[]) {
    const start = at + 1 - text.length;
    if (start < from || !startsWord(bytes, from, start) || !standsAt(bytes, start, limit, text)) continue;
    const end = skip(bytes, at + 1, limit, dashes ? TOKEN : WORD);
    return end - at - 1 >= fewest ? { detector: 'secret', start: at + 1, end, cover: ALL } : undefined;
  }
  return undefined;
}

const [LETTER_A, LETTER_K, LETTER_S, LETTER_E, LETTER_Y] = [0x41, 0x4b, 0x53, 0x65, 0x79];
const AWS = 16;
const GOOGLE = 35;

/** AKIA…, ASIA… and AIza…, around the `I` at `at`. */
export function cloudKey(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  const before = at > from ? (bytes[at - 1] as number) : 0;
  if (before === LETTER_K || before === LETTER_S) {
    if (at - 2 < from || bytes[at + 1] !== LETTER_A || bytes[at - 2] !== LETTER_A || !startsWord(bytes, from, at - 2))
      return undefined;
    return exactly(bytes, at + 2, AWS, limit, WORD);
  }
  if (before !== LETTER_A || !standsAt(bytes, at - 1, limit, 'AIza') || !startsWord(bytes, from, at - 1))
    return undefined;
  return exactly(bytes, at + 3, GOOGLE, limit, TOKEN);
}

/** A key of so many characters. Where it must end first: that lets one key be read for each end, not one for each start. */
function exactly(bytes: Uint8Array, start: number, length: number, limit: number, flags: Uint8Array): Find | undefined {
  const end = start + length;
  if (end > limit || (end < limit && flags[bytes[end] as number] === 1)) return undefined;
  return skip(bytes, start, end, flags) === end ? { detector: 'secret', start, end, cover: ALL } : undefined;
}

/** A signed JSON Web Token (`eyJ….….…`), around the `J` at `at`. */
export function jwt(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  const start = at - 2;
  if (start < from || bytes[at - 1] !== LETTER_Y || bytes[start] !== LETTER_E) return undefined;
  // A dash before it would let every `-eyJ` of one long run be read to the run's end again.
  if (!startsWord(bytes, from, start) || (start > from && bytes[start - 1] === DASH)) return undefined;
  const header = skip(bytes, at + 1, limit, TOKEN);
  if (!standsAt(bytes, header, limit, '.eyJ')) return undefined;
  const payload = skip(bytes, header + 1, limit, TOKEN);
  if (payload >= limit || bytes[payload] !== DOT) return undefined;
  const end = skip(bytes, payload + 1, limit, TOKEN);
  return end > payload + 1 ? { detector: 'secret', start: at + 1, end, cover: ALL } : undefined;
}

const LONGEST_HEADER = 64;

/** `-----BEGIN … PRIVATE KEY-----` whose last dash before BEGIN is at `at`: the key up to the next dash. */
export function privateKey(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  if (at - 4 < from || !standsAt(bytes, at - 4, limit, '-----BEGIN ')) return undefined;
  let body = at + 7;
  const farthest = Math.min(limit, body + LONGEST_HEADER);
  while (body < farthest && bytes[body] !== DASH) body++;
  // A PGP key is a BLOCK.
  const name = standsAt(bytes, body - 17, limit, 'PRIVATE KEY BLOCK') ? 17 : 11;
  if (!standsAt(bytes, body - name, limit, 'PRIVATE KEY') || !standsAt(bytes, body, limit, '-----')) return undefined;
  body += 5;
  let end = body;
  while (end < limit && bytes[end] !== DASH) end++;
  return { detector: 'secret', start: body, end, cover: ARMOUR };
}

const [DOT, COLON, AT] = [0x2e, 0x3a, 0x40];
const MOST_USER = 64;
const MOST_PASSWORD = 128;
/** What a part of an address is made of. The rest would have to be percent-encoded in it, or ends it. */
const PART: Uint8Array = table(
  Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i))
    .filter((char) => !':/@"\'<>[]{}\\^`|#?'.includes(char))
    .join(''),
);

/** The password in an address, `postgres://user:password@host`, whose `://` begins at `colon`. */
export function urlPassword(bytes: Uint8Array, colon: number, limit: number): Find | undefined {
  if (!standsAt(bytes, colon, limit, '://')) return undefined;
  const user = colon + 3;
  const start = skip(bytes, user, Math.min(limit, user + MOST_USER), PART);
  if (start === user || start >= limit || bytes[start] !== COLON) return undefined;
  const end = skip(bytes, start + 1, Math.min(limit, start + 1 + MOST_PASSWORD), PART);
  if (end >= limit || end - start <= 1 || bytes[end] !== AT) return undefined;
  return { detector: 'secret', start: start + 1, end, cover: ALL };
}
