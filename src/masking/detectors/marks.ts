import { BASE64, DIGIT, DOMAIN, ESCAPED, HEX, LOCAL, TOKEN, UPPERCASE, WORD } from './bytes.ts';
import { email } from './email.ts';
import type { Detector, Find } from './hit.ts';
import { ipv6 } from './ip.ts';
import { passport } from './passport.ts';
import { phone } from './phone.ts';
import { cloudKey, ENDS_PREFIX, jwt, privateKey, token, urlPassword } from './secret.ts';

/** What single characters may be part of, one bit each. */
const ADDRESS = 1 << 0;
const PHONE = 1 << 1;
const PREFIX = 1 << 2;
const HEADER = 1 << 3;
const PASSWORD = 1 << 4;
const IPV6 = 1 << 5;
const PASSPORT = 1 << 6;
const CLOUD_KEY = 1 << 7;
const JWT = 1 << 8;

type Test = (byte: number, char: string) => boolean;

interface Mark {
  readonly bit: number;
  readonly detector: Detector;
  readonly characters: string;
  /** What may stand before it, and behind it. */
  readonly before: Test;
  readonly behind: Test;
}

const MARKS: readonly Mark[] = [
  {
    bit: ADDRESS,
    detector: 'email',
    characters: '@',
    before: (byte) => LOCAL[byte] === 1,
    behind: (byte, char) => DOMAIN[byte] === 1 && !'.-'.includes(char),
  },
  {
    bit: PHONE,
    detector: 'phone',
    characters: '+',
    before: (byte) => WORD[byte] === 0 || ESCAPED[byte] === 1,
    behind: (byte, char) => DIGIT[byte] === 1 && char !== '0',
  },
  {
    bit: PREFIX,
    detector: 'secret',
    characters: '_-',
    before: (byte) => ENDS_PREFIX[byte] === 1,
    behind: (byte) => TOKEN[byte] === 1,
  },
  {
    bit: HEADER,
    detector: 'secret',
    characters: '-',
    before: (_, char) => char === '-',
    behind: (_, char) => char === 'B',
  },
  { bit: PASSWORD, detector: 'secret', characters: ':', before: () => true, behind: (_, char) => char === '/' },
  {
    bit: IPV6,
    detector: 'ip',
    characters: ':',
    before: (byte) => HEX[byte] === 1,
    behind: (byte, char) => HEX[byte] === 1 || char === ':',
  },
  {
    bit: PASSPORT,
    detector: 'passport',
    characters: '<',
    before: (_, char) => char === 'P',
    behind: (byte, char) => UPPERCASE[byte] === 1 || char === '<',
  },
  {
    bit: CLOUD_KEY,
    detector: 'secret',
    characters: 'I',
    before: (_, char) => 'KSA'.includes(char),
    behind: (_, char) => 'Az'.includes(char),
  },
  {
    bit: JWT,
    detector: 'secret',
    characters: 'J',
    before: (_, char) => char === 'y',
    behind: (byte, char) => BASE64[byte] === 1 || '-_.'.includes(char),
  },
];

/** By a byte: which marks it may stand before, and behind. What stands where a cell ends or begins is a NUL. */
export const BEFORE_MARK: Uint16Array = beside('before');
export const BEHIND_MARK: Uint16Array = beside('behind');

function beside(side: 'before' | 'behind'): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    const may = MARKS.filter((mark) => mark[side](byte, String.fromCharCode(byte)));
    return may.reduce((bits, { bit }) => bits | bit, 0);
  });
}

/** By a byte: what it may be part of, as far as that is wanted. */
export function marksFor(wanted: (detector: Detector) => boolean): Uint16Array {
  const table = new Uint16Array(256);
  for (const { bit, detector, characters } of MARKS) {
    if (!wanted(detector)) continue;
    for (const char of characters) table[char.charCodeAt(0)] = (table[char.charCodeAt(0)] as number) | bit;
  }
  return table;
}

/**
 * What the mark at `at` is part of, of what it may be: `[start, limit)` is the cell, and what lies before `from` was
 * found already.
 */
export function marked(
  may: number,
  bytes: Uint8Array,
  start: number,
  from: number,
  at: number,
  limit: number,
): Find | undefined {
  // The two that one dash may be, and one colon, are told apart by the byte behind it.
  switch (may) {
    case ADDRESS:
      return email(bytes, from, at, limit);
    case PREFIX:
      return token(bytes, start, at, limit);
    case IPV6:
      return ipv6(bytes, start, at, limit);
    case PHONE:
      return phone(bytes, start, at, limit);
    case PASSWORD:
      return urlPassword(bytes, at, limit);
    case PASSPORT:
      return passport(bytes, start, at, limit);
    case CLOUD_KEY:
      return cloudKey(bytes, start, at, limit);
    case JWT:
      return jwt(bytes, start, at, limit);
    case HEADER:
      return privateKey(bytes, start, at, limit);
    default:
      return undefined;
  }
}
