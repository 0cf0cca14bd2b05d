import { skip, standsAt, startsWord, TOKEN, WORD } from './bytes.ts';
import { ALL, ARMOUR, type Find } from './hit.ts';

const DASH = 0x2d;

interface Prefix {
  readonly text: string;
  /** Fewest characters that must follow. */
  readonly fewest: number;
  /** Whether what follows may hold dashes. */
  readonly dashes: boolean;
}

const PREFIXES: readonly Prefix[] = [
  { text: 'slp_', fewest: 40, dashes: false }, // our own passes
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'npm_'].map((text) => ({ text, fewest: 30, dashes: false })),
  { text: 'github_pat_', fewest: 30, dashes: false },
  ...['sk_live_', 'rk_live_', 'sk_test_'].map((text) => ({ text, fewest: 16, dashes: false })),
  ...['glpat-', 'xoxb-', 'xoxp-', 'xoxa-', 'xoxs-'].map((text) => ({ text, fewest: 16, dashes: true })),
  { text: 'sk-', fewest: 20, dashes: true },
];

/** The same, by the character before the mark: most marks stand behind another one and are done with at once. */
const BY_LETTER: readonly (readonly Prefix[])[] = Array.from({ length: 256 }, (_, byte) =>
  PREFIXES.filter(({ text }) => text.charCodeAt(text.length - 2) === byte),
);

/** A token whose prefix ends with the `_` or `-` at `at`, or the header of a private key. */
export function token(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  if (bytes[at] === DASH && bytes[at + 1] === 0x42) return privateKey(bytes, from, at, limit);
  for (const prefix of BY_LETTER[at > from ? (bytes[at - 1] ?? 0) : 0] ?? []) {
    const start = at + 1 - prefix.text.length;
    if (bytes[at] !== prefix.text.charCodeAt(prefix.text.length - 1)) continue;
    if (start < from || !standsAt(bytes, start, limit, prefix.text) || !startsWord(bytes, from, start)) continue;
    const end = skip(bytes, at + 1, limit, prefix.dashes ? TOKEN : WORD);
    return end - at - 1 >= prefix.fewest ? { detector: 'secret', start: at + 1, end, cover: ALL } : undefined;
  }
  return undefined;
}

/** AKIA…, ASIA… and AIza…, around the `I` at `at`. */
export function cloudKey(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  const aws = bytes[at + 1] === 0x41 && (standsAt(bytes, at - 2, limit, 'AK') || standsAt(bytes, at - 2, limit, 'AS'));
  if (aws && at - 2 >= from && startsWord(bytes, from, at - 2)) {
    const end = skip(bytes, at + 2, Math.min(limit, at + 40), WORD);
    return end - at - 2 === 16 ? { detector: 'secret', start: at + 2, end, cover: ALL } : undefined;
  }
  if (at - 1 >= from && standsAt(bytes, at - 1, limit, 'AIza') && startsWord(bytes, from, at - 1)) {
    const end = skip(bytes, at + 3, Math.min(limit, at + 80), TOKEN);
    return end - at - 3 === 35 ? { detector: 'secret', start: at + 3, end, cover: ALL } : undefined;
  }
  return undefined;
}

/** A signed JSON Web Token (`eyJ….….…`), around the `J` at `at`. */
export function jwt(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  const start = at - 2;
  if (start < from || !standsAt(bytes, start, limit, 'eyJ')) return undefined;
  // A dash before it would let every `-eyJ` of one long run be read to the run's end again.
  if (!startsWord(bytes, from, start) || bytes[start - 1] === DASH) return undefined;
  const header = skip(bytes, at + 1, limit, TOKEN);
  if (bytes[header] !== 0x2e || !standsAt(bytes, header + 1, limit, 'eyJ')) return undefined;
  const payload = skip(bytes, header + 1, limit, TOKEN);
  if (payload >= limit || bytes[payload] !== 0x2e) return undefined;
  const end = skip(bytes, payload + 1, limit, TOKEN);
  return end > payload + 1 ? { detector: 'secret', start: at + 1, end, cover: ALL } : undefined;
}

const LONGEST_HEADER = 64;

/** `-----BEGIN … PRIVATE KEY-----` whose last dash before BEGIN is at `at`: the key up to the next dash. */
function privateKey(bytes: Uint8Array, from: number, at: number, limit: number): Find | undefined {
  if (at - 4 < from || !standsAt(bytes, at - 4, limit, '-----BEGIN ')) return undefined;
  let body = at + 7;
  const farthest = Math.min(limit, body + LONGEST_HEADER);
  while (body < farthest && bytes[body] !== DASH) body++;
  if (!standsAt(bytes, body - 11, limit, 'PRIVATE KEY-----')) return undefined;
  body += 5;
  const next = bytes.indexOf(DASH, body);
  return { detector: 'secret', start: body, end: next < 0 || next > limit ? limit : next, cover: ARMOUR };
}
