import { copyBytes } from './copy-bytes.ts';
import type { Masker } from './masker.ts';
import { kindOf, mostCharacters, type ResultField } from './types.ts';

const SPACE = 0x20;
const STAR = 0x2a;
const AT = 0x40;
const MOST_SHOWN = 4;

/** The mask of a char(n): the spaces it is padded with are no part of the value. */
export function unpaddedMask(masker: Masker): Masker {
  return {
    most: (length) => masker.most(length),
    mask: (from, start, end, to, at) => {
      let last = end;
      while (last > start && from[last - 1] === SPACE) last--;
      return masker.mask(from, start, last, to, at);
    },
  };
}

/** Continuation bytes of UTF-8 start no character. */
function startsCharacter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) !== 0x80;
}

function characters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if (startsCharacter(bytes[i])) count++;
  return count;
}

/** `*******1234`: the last four characters, and never half of the value or more. As many characters as before. */
export function partialMask(): Masker {
  return {
    most: (length) => length,
    mask: (from, start, end, to, at) => {
      const total = characters(from, start, end);
      const shown = Math.max(0, Math.min(MOST_SHOWN, Math.floor(total / 2) - 1));
      let cut = end;
      for (let left = shown; left > 0; ) if (startsCharacter(from[--cut])) left--;
      const hidden = total - shown;
      to.fill(STAR, at, at + hidden);
      copyBytes(from, cut, end, to, at + hidden);
      return hidden + end - cut;
    },
  };
}

/** What stands where the local part stood; the first character before it. */
const HIDDEN = 3;

/** `a***@example.com`; a lone character before the @ is hidden too. `otherwise` masks what is no address. */
export function emailMask(field: ResultField, otherwise: Masker): Masker | undefined {
  const kind = kindOf(field.type);
  const textual = kind === 'text' || (kind === 'unknown' && field.format === 0);
  if (!textual) return undefined;
  const most = mostCharacters(field) ?? Number.POSITIVE_INFINITY;
  return {
    most: (length) => Math.max(length + HIDDEN, otherwise.most(length)),
    mask: (from, start, end, to, at) => {
      let sign = end - 1;
      while (sign >= start && from[sign] !== AT) sign--;
      if (sign <= start || !isDomain(from, sign + 1, end)) return otherwise.mask(from, start, end, to, at);
      let first = start + 1;
      while (first < sign && !startsCharacter(from[first])) first++;
      const shown = first < sign ? first - start : 0;
      const length = shown + HIDDEN + end - sign;
      // Where bytes fit, characters do.
      if (length > most && characters(from, sign, end) + (shown > 0 ? 1 : 0) + HIDDEN > most) {
        return otherwise.mask(from, start, end, to, at);
      }
      copyBytes(from, start, start + shown, to, at);
      for (let i = 0; i < HIDDEN; i++) to[at + shown + i] = STAR;
      copyBytes(from, sign, end, to, at + shown + HIDDEN);
      return length;
    },
  };
}

/** Nothing but a domain may stay: what stands behind the last @ of a free text could be anything. */
function isDomain(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 1 || end - start > 253) return false; // RFC 1035
  // The index is in bounds, so the element is there.
  for (let i = start; i < end; i++) if (IN_DOMAIN[bytes[i] as number] === 0) return false;
  return true;
}

/** Letters, digits, dashes, dots, and whatever is not ASCII. */
const IN_DOMAIN: Uint8Array = new Uint8Array(256).map((_, byte) =>
  byte >= 0x80 || /[a-z0-9.-]/i.test(String.fromCharCode(byte)) ? 1 : 0,
);
