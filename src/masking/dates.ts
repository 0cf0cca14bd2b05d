import { constantMask, type Masker } from './masker.ts';
import { redacted, spell } from './spell.ts';
import { kindOf, type ResultField } from './types.ts';

const DAY_MS = 86_400_000;
const DAY_US = 86_400_000_000;
const POSTGRES_EPOCH = Date.UTC(2000, 0, 1);

/** The first of January of the same year. What has no year in 1 to 9999 (infinity, BC) is redacted. */
export function dateMask(field: ResultField, otherwise: Masker): Masker | undefined {
  const kind = kindOf(field.type);
  if (kind !== 'date' && kind !== 'timestamp' && kind !== 'timestamptz') return undefined;
  const room = Math.max(redacted(field)?.length ?? 0, spellYear(field, 2000)?.length ?? 0);
  /** A result has few years and many rows. */
  const years = new Map<number, Masker>();
  const maskOf = (year: number): Masker => {
    const bytes = spellYear(field, year);
    const mask = bytes === undefined ? otherwise : constantMask(bytes);
    years.set(year, mask);
    return mask;
  };
  return {
    most: () => room,
    mask: (from, start, end, to, at) => {
      const year = field.format === 0 ? yearOfText(from, start, end) : yearOfBinary(from, start, end);
      const mask = year === undefined ? otherwise : (years.get(year) ?? maskOf(year));
      return mask.mask(from, start, end, to, at);
    },
  };
}

function spellYear(field: ResultField, year: number): Uint8Array | undefined {
  const day = `${String(year).padStart(4, '0')}-01-01`;
  const kind = kindOf(field.type);
  if (kind === 'date') return spell(field, day);
  return spell(field, `${day} 00:00:00${kind === 'timestamptz' ? '+00' : ''}`);
}

const ZERO = 0x30;
const DASH = 0x2d;
const SPACE = 0x20;

/** Only from ISO dates (`1997-12-17…`): other date styles may put the day where the year is looked for. */
function yearOfText(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < 10 || end - start > 40) return undefined;
  if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return undefined;
  let year = 0;
  for (let i = 0; i < 10; i++) {
    if (i === 4 || i === 7) continue;
    const digit = (bytes[start + i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    if (i < 4) year = year * 10 + digit;
  }
  if (end - start > 10 && (bytes[start + 10] !== SPACE || !isTime(bytes, start + 11, end))) return undefined;
  return year === 0 ? undefined : year;
}

/** Digits and `:.+-`, at least one: no `BC` stands behind them. */
function isTime(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    const plain = (byte >= ZERO && byte <= 0x3a) || byte === 0x2e || byte === 0x2b || byte === DASH;
    if (!plain) return false;
  }
  return end > start;
}

function yearOfBinary(bytes: Uint8Array, start: number, end: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  let days: number;
  if (view.byteLength === 4) days = view.getInt32(0);
  else if (view.byteLength === 8) days = Math.floor(Number(view.getBigInt64(0)) / DAY_US);
  else return undefined;
  const year = new Date(POSTGRES_EPOCH + days * DAY_MS).getUTCFullYear();
  return year >= 1 && year <= 9999 ? year : undefined;
}
