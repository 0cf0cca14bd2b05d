import type { Field } from '../../wire/postgres/row-description.ts';
import { clean } from '../output.ts';

/** Longest a cell is shown; the whole value is in the JSON. */
const LONGEST = 200;

/**
 * A value as people read it. Text where it is text; binary by its type where that is known and the length fits; bytes
 * in hex otherwise. A statement described before its formats were chosen says "text" of values that are binary.
 */
export function showValue(bytes: Uint8Array, field: Pick<Field, 'type' | 'format'> | undefined): string {
  const decoded = field?.format === 1 ? binary(bytes, field.type) : undefined;
  return shorten(clean(decoded ?? asText(bytes, field) ?? hex(bytes)));
}

function asText(bytes: Uint8Array, field: Pick<Field, 'type' | 'format'> | undefined): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\0')) return text.replace(/\n$/, '');
  } catch {
    // bytes that are not text
  }
  return field && binary(bytes, field.type);
}

// OIDs of pg_type.dat.
const BOOL = 16;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const OID = 26;
const FLOAT4 = 700;
const FLOAT8 = 701;
const DATE = 1082;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;
const UUID = 2950;
const JSONB = 3802;

/** Days and microseconds are counted from 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

function binary(bytes: Uint8Array, type: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  if (type === BOOL && length === 1) return view.getUint8(0) === 0 ? 'f' : 't';
  if (type === INT2 && length === 2) return String(view.getInt16(0));
  if (type === INT4 && length === 4) return String(view.getInt32(0));
  if (type === OID && length === 4) return String(view.getUint32(0));
  if (type === INT8 && length === 8) return String(view.getBigInt64(0));
  if (type === FLOAT4 && length === 4) return String(view.getFloat32(0));
  if (type === FLOAT8 && length === 8) return String(view.getFloat64(0));
  if (type === DATE && length === 4) return time(view.getInt32(0) * 86_400_000)?.slice(0, 10);
  if ((type === TIMESTAMP || type === TIMESTAMPTZ) && length === 8) return time(Number(view.getBigInt64(0) / 1000n));
  if (type === UUID && length === 16)
    return hex(bytes)
      .slice(2)
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (type === JSONB && length > 1 && view.getUint8(0) === 1) return asText(bytes.subarray(1), undefined);
  return undefined;
}

function time(sinceEpoch: number): string | undefined {
  const date = new Date(EPOCH_MS + sinceEpoch);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function hex(bytes: Uint8Array): string {
  return `\\x${[...bytes.subarray(0, LONGEST)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
}
