import { canonicalAddress } from './address.ts';
import { kindOf, type ResultField } from './types.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Bytes that are the same for one value in both formats and with every setting of the session. Undefined for what has
 * none: dates in other styles than ISO or outside of the years 1 to 9999, and what is no value of the type.
 */
export function canonical(field: ResultField, value: Uint8Array): Uint8Array | undefined {
  const kind = kindOf(field.type);
  if (kind === 'bytea') return field.format === 0 ? bytesOf(decoder.decode(value)) : value;
  const text = field.format === 0 ? ofText(kind, value) : ofBinary(kind, value);
  return typeof text === 'string' ? encoder.encode(text) : text;
}

type Canonical = Uint8Array | string | undefined;

function ofText(kind: string, value: Uint8Array): Canonical {
  switch (kind) {
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return momentOf(kind, decoder.decode(value));
    case 'numeric':
      return trimmed(decoder.decode(value));
    case 'float4':
      return String(Math.fround(Number(decoder.decode(value))));
    case 'float8':
      return String(Number(decoder.decode(value)));
    case 'inet':
      return canonicalAddress(decoder.decode(value));
    default:
      return value;
  }
}

function ofBinary(kind: string, value: Uint8Array): Canonical {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const { length } = value;
  switch (kind) {
    case 'int2':
      return length === 2 ? String(view.getInt16(0)) : undefined;
    case 'int4':
      return length === 4 ? String(view.getInt32(0)) : undefined;
    case 'int8':
      return length === 8 ? String(view.getBigInt64(0)) : undefined;
    case 'oid':
      return length === 4 ? String(view.getUint32(0)) : undefined;
    case 'float4':
      return length === 4 ? String(view.getFloat32(0)) : undefined;
    case 'float8':
      return length === 8 ? String(view.getFloat64(0)) : undefined;
    case 'numeric':
      return numericOf(view);
    case 'uuid':
      return length === 16 ? hex(value).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : undefined;
    case 'date':
      return length === 4 ? known(BigInt(view.getInt32(0)), DAYS) : undefined;
    case 'timestamp':
    case 'timestamptz':
      return length === 8 ? known(view.getBigInt64(0), MICROSECONDS) : undefined;
    case 'inet':
      return length > 4 ? `${view.getUint8(1)} ${hex(value.subarray(4))}` : undefined;
    case 'jsonb':
      return value[0] === 1 ? value.subarray(1) : undefined;
    default:
      return value;
  }
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
  readonly infinity: bigint;
}

const POSTGRES_EPOCH = Date.UTC(2000, 0, 1);
const DAY_MS = 86_400_000;
/** 0001-01-01 and 9999-12-31 as days from 2000-01-01. */
const FIRST_DAY = -730_119n;
const LAST_DAY = 2_921_939n;
const DAY_US = 86_400_000_000n;
const DAYS: Range = { first: FIRST_DAY, last: LAST_DAY, infinity: 2n ** 31n - 1n };
const MICROSECONDS: Range = {
  first: FIRST_DAY * DAY_US,
  last: (LAST_DAY + 1n) * DAY_US - 1n,
  infinity: 2n ** 63n - 1n,
};

function known(value: bigint, { first, last, infinity }: Range): string | undefined {
  if (value === infinity) return 'infinity';
  if (value === -infinity - 1n) return '-infinity';
  return value >= first && value <= last ? String(value) : undefined;
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?)?$/;

function momentOf(kind: 'date' | 'timestamp' | 'timestamptz', text: string): string | undefined {
  if (text === 'infinity' || text === '-infinity') return text;
  const [, day = '', hours, minutes, seconds, fraction = '', sign, ...offset] = MOMENT.exec(text) ?? [];
  const days = (Date.parse(day) - POSTGRES_EPOCH) / DAY_MS;
  if (!Number.isSafeInteger(days)) return undefined;
  if (kind === 'date') return known(BigInt(days), DAYS);
  if (hours === undefined || (kind === 'timestamptz') !== (sign !== undefined)) return undefined;
  const local = secondsOf(hours, minutes, seconds);
  const away = secondsOf(...offset) * (sign === '-' ? -1 : 1);
  const since = BigInt(days * 86_400 + local - away) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return known(since, MICROSECONDS);
}

function secondsOf(...parts: readonly (string | undefined)[]): number {
  const [hours, minutes, seconds] = parts.map((part) => Number(part ?? 0));
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** A decimal number without zeros behind its last digit: 1.50 is 1.5. */
function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0*$/, '') : text;
}

// numeric.c: NUMERIC_NEG, NUMERIC_NAN, NUMERIC_PINF, NUMERIC_NINF.
const SIGNS: ReadonlyMap<number, string> = new Map([
  [0x0000, ''],
  [0x4000, '-'],
]);
const SPECIAL: ReadonlyMap<number, string> = new Map([
  [0xc000, 'NaN'],
  [0xd000, 'Infinity'],
  [0xf000, '-Infinity'],
]);

function numericOf(view: DataView): string | undefined {
  if (view.byteLength < 8) return undefined;
  const count = view.getUint16(0);
  const weight = view.getInt16(2);
  const special = SPECIAL.get(view.getUint16(4));
  if (special !== undefined) return special;
  const sign = SIGNS.get(view.getUint16(4));
  if (sign === undefined || view.byteLength !== 8 + 2 * count) return undefined;
  const digits = Array.from({ length: count }, (_, i) => String(view.getUint16(8 + 2 * i)).padStart(4, '0')).join('');
  if (count === 0) return '0';
  const point = 4 * (weight + 1);
  const whole = (point > 0 ? digits.slice(0, point).padEnd(point, '0') : '').replace(/^0+/, '');
  const fraction = (point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits).replace(/0+$/, '');
  return `${sign}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The bytes of a bytea in either of its text formats. */
function bytesOf(text: string): Uint8Array | undefined {
  if (text.startsWith('\\x')) {
    return Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  const units = text.match(/\\\\|\\[0-3][0-7]{2}|[^\\]/gs) ?? [];
  if (units.join('') !== text) return undefined;
  return Uint8Array.from(units, (unit) => {
    if (unit.length === 4) return Number.parseInt(unit.slice(1), 8);
    return unit.charCodeAt(unit.length - 1);
  });
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
