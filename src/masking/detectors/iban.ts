import { endsWord, isDigit, PAIRS, pairOf, startsWord, UPPERCASE } from './bytes.ts';
import { ALL, type Find } from './hit.ts';

// SWIFT IBAN registry: country to number of characters.
const LENGTHS: Uint8Array = new Uint8Array(PAIRS);
for (const entry of (
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
  'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
  'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
  'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
).split(' ')) {
  LENGTHS[pairOf(entry.charCodeAt(0), entry.charCodeAt(1))] = Number(entry.slice(2));
}

const SPACE = 0x20;
const NONE = 0xff;
/** ISO 13616: letters count from 10. */
const VALUE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (UPPERCASE[byte] === 1) return byte - 0x41 + 10;
  return isDigit(byte) ? byte - 0x30 : NONE;
});
/** Country and check digits stay readable. */
const HEAD = 4;

/** An IBAN whose check digits are the run of digits that begins at `digits`; in one piece or in groups of four. */
export function iban(bytes: Uint8Array, from: number, digits: number, limit: number): Find | undefined {
  const start = digits - 2;
  if (start < from || digits + 2 >= limit) return undefined;
  const [first, second] = [bytes[start] as number, bytes[start + 1] as number];
  if (UPPERCASE[first] === 0 || UPPERCASE[second] === 0) return undefined;
  const length = LENGTHS[pairOf(first, second)] as number;
  if (length === 0 || start + length > limit || !isDigit(bytes[digits + 1] as number)) return undefined;
  if (!startsWord(bytes, from, start)) return undefined;
  const spaced = bytes[digits + 2] === SPACE;

  let rest = 0;
  let count = HEAD;
  let at = start + HEAD;
  for (; count < length && at < limit; at++) {
    const value = VALUE[bytes[at] as number] as number;
    if (value === NONE) {
      if (spaced && count % 4 === 0 && bytes[at] === SPACE && bytes[at - 1] !== SPACE) continue;
      return undefined;
    }
    rest = append(rest, value);
    count++;
  }
  if (count < length || !endsWord(bytes, at, limit)) return undefined;
  for (let i = start; i < start + HEAD; i++) rest = append(rest, VALUE[bytes[i] as number] as number);
  return rest % 97 === 1 ? { detector: 'iban', start: start + HEAD, end: at, cover: ALL } : undefined;
}

/** The remainder by 97 of a number with these digits behind it, itself divided only as often as 31 bits require. */
function append(rest: number, value: number): number {
  const next = value > 9 ? rest * 100 + value : rest * 10 + value;
  return next > 9_999_999 ? next % 97 : next;
}
