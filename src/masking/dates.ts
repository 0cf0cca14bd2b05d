import { constantMask, type Masker } from './masker.ts';
import { redacted, spell } from './spell.ts';
import { kindOf, type ResultField } from './types.ts';

const DAY_MS = 86_400_000;
const DAY_US = 86_400_000_000n;
const POSTGRES_EPOCH = Date.UTC(2000, 0, 1);

/** The first of January of the same year, by UTC. What has no year in 1 to 9999 (infinity, BC) is redacted. */
export function dateMask(field: ResultField, otherwise: Masker): Masker | undefined {
  const kind = kindOf(field.type);
  if (kind !== 'date' && kind !== 'timestamp' && kind !== 'timestamptz') return undefined;
  const zoned = kind === 'timestamptz';
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
      const year = field.format === 0 ? yearOfText(from, start, end, zoned) : yearOfBinary(from, start, end);
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
const PLUS = 0x2b;
const DASH = 0x2d;
const SPACE = 0x20;

/** Only from ISO dates (`1997-12-17…`): other date styles may put the day where the year is looked for. */
function yearOfText(bytes: Uint8Array, start: number, end: number, zoned: boolean): number | undefined {
  if (end - start < 10 || end - start > 40) return undefined;
  if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return undefined;
  const first = twoDigits(bytes, start);
  const last = twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  if (first < 0 || last < 0 || month < 0 || day < 0) return undefined;
  if (end - start > 10 && (bytes[start + 10] !== SPACE || !isTime(bytes, start + 11, end))) return undefined;
  const year = first * 100 + last;
  if (year === 0) return undefined;
  const turning = (month === 1 && day === 1) || (month === 12 && day === 31);
  if (!zoned || !turning) return year;
  const inUtc = year + turnOfYear(bytes, start + 11, end, month === 1);
  return inUtc >= 1 && inUtc <= 9999 ? inUtc : undefined;
}

/** Two digits as a number; negative where they are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - ZERO;
  const ones = (bytes[at + 1] ?? 0) - ZERO;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

/** How many years `hh:mm:ss….±hh[:mm[:ss]]` of the first or the last day of a year is away from that year in UTC. */
function turnOfYear(bytes: Uint8Array, start: number, end: number, january: boolean): number {
  let sign = end - 1;
  while (sign > start && bytes[sign] !== DASH && bytes[sign] !== PLUS) sign--;
  const offset = seconds(bytes, sign + 1, end) * (bytes[sign] === DASH ? -1 : 1);
  const since = seconds(bytes, start, sign) - offset;
  if (january) return since < 0 ? -1 : 0;
  return since >= DAY_MS / 1000 ? 1 : 0;
}

function seconds(bytes: Uint8Array, start: number, end: number): number {
  let total = 0;
  for (let at = start, unit = 3600; at + 2 <= end && unit >= 1; at += 3, unit /= 60) {
    total += twoDigits(bytes, at) * unit;
  }
  return total;
}

/** Digits and `:.+-`, at least one: no `BC` stands behind them. */
function isTime(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    const plain = (byte >= ZERO && byte <= 0x3a) || byte === 0x2e || byte === PLUS || byte === DASH;
    if (!plain) return false;
  }
  return end > start;
}

function yearOfBinary(bytes: Uint8Array, start: number, end: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  let days: number;
  if (view.byteLength === 4) days = view.getInt32(0);
  else if (view.byteLength === 8) days = daysOf(view.getBigInt64(0));
  else return undefined;
  const year = new Date(POSTGRES_EPOCH + days * DAY_MS).getUTCFullYear();
  return year >= 1 && year <= 9999 ? year : undefined;
}

/** Rounded down, and exact: a number does not hold the microseconds of a far century. */
function daysOf(microseconds: bigint): number {
  const days = microseconds / DAY_US;
  return Number(days * DAY_US > microseconds ? days - 1n : days);
}
