import { fixedOf } from './fixed.ts';
import { fitNumeric, spellNumeric } from './numeric.ts';
import { elementOf, kindOf, mostCharacters, type ResultField } from './types.ts';

const encoder = new TextEncoder();

/** What `redact` shows, per kind: fixed, so that it says nothing about the value. */
const REDACTED = {
  text: '[redacted]',
  char: '*',
  name: '[redacted]',
  int2: '0',
  int4: '0',
  int8: '0',
  oid: '0',
  float4: '0',
  float8: '0',
  numeric: '0',
  bool: 'f',
  date: '1970-01-01',
  timestamp: '1970-01-01 00:00:00',
  timestamptz: '1970-01-01 00:00:00+00',
  uuid: '00000000-0000-0000-0000-000000000000',
  inet: '0.0.0.0',
  cidr: '0.0.0.0/32',
  json: '"[redacted]"',
  jsonb: '"[redacted]"',
  xml: '[redacted]',
  bytea: '\\x',
  array: '{}',
  fixed: undefined,
  unknown: undefined,
} as const;

/** The redacted value of a field's type, as it travels; undefined: only NULL is sure to be one. */
export function redacted(field: ResultField): Uint8Array | undefined {
  const text = fixedOf(field.type, field.modifier)?.text ?? REDACTED[kindOf(field.type)];
  return text === undefined ? undefined : spell(field, text);
}

/** A value of the field's type, written as text, as it travels in the field's format; undefined when it is none. */
export function spell(field: ResultField, text: string): Uint8Array | undefined {
  const kind = kindOf(field.type);
  if (field.format === 0) return spellAsText(field, text);
  switch (kind) {
    case 'text':
    case 'char':
    case 'name':
    case 'json':
    case 'xml':
      return spellAsText(field, text);
    case 'jsonb': {
      const json = spellAsText(field, text);
      return json === undefined ? undefined : Uint8Array.of(1, ...json); // version 1
    }
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
      return spellInteger(kind, text);
    case 'float4':
    case 'float8':
      return spellFloat(kind, text);
    case 'numeric':
      return DECIMAL.test(text) && fitNumeric(text, field.modifier) ? spellNumeric(text) : undefined;
    case 'bool':
      return BOOLEANS.has(text) ? Uint8Array.of(BOOLEANS.get(text) ? 1 : 0) : undefined;
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return spellMoment(kind, text);
    case 'uuid':
      return UUID.test(text) ? fromHex(text.replaceAll('-', '')) : undefined;
    case 'inet':
    case 'cidr':
      return spellIpv4(kind, text);
    case 'bytea':
      return BYTEA.test(text) ? fromHex(text.slice(2)) : undefined;
    case 'array':
      return text === '{}' ? int32s(0, 0, elementOf(field.type)) : undefined; // dimensions, flags, element type
    case 'fixed': {
      const fixed = fixedOf(field.type, field.modifier);
      return fixed?.text === text ? fromHex(fixed.binary) : undefined;
    }
    case 'unknown':
      return undefined;
  }
}

const INTEGER = /^-?\d{1,19}$/;
const DECIMAL = /^-?\d{1,1000}(\.\d{1,1000})?$/;
const FLOAT = /^-?\d{1,30}(\.\d{1,30})?(e[+-]?\d{1,2})?$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BYTEA = /^\\x([0-9a-f]{2})*$/i;
const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d))?(?:\+00)?$/;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['t', true],
  ['true', true],
  ['f', false],
  ['false', false],
]);

function spellAsText(field: ResultField, text: string): Uint8Array | undefined {
  switch (kindOf(field.type)) {
    case 'text':
      return encoder.encode(shorten(text.replaceAll('\0', ''), mostCharacters(field)));
    case 'char':
      return /^[\x01-\x7f]$/.test(text) ? encoder.encode(text) : undefined;
    case 'name':
      return encoder.encode(shorten(text.replaceAll('\0', ''), 15)); // NAMEDATALEN is 64 bytes, a character has at most 4
    case 'json':
    case 'jsonb':
      return encoder.encode(isJson(text) ? text : jsonString(text));
    case 'xml':
      return encoder.encode(text.replace(/[<>&\0-\x08\x0b\x0c\x0e-\x1f]/g, ''));
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
    case 'bool':
    case 'uuid':
    case 'bytea':
    case 'numeric':
    case 'float4':
    case 'float8':
    case 'inet':
    case 'cidr':
      // What has a binary form is a value; and short enough to try.
      return spell({ ...field, format: 1 }, text) === undefined ? undefined : encoder.encode(text);
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return spell({ ...field, format: 1 }, text) === undefined ? undefined : encoder.encode(momentText(field, text));
    case 'array':
      return text === REDACTED.array ? encoder.encode(text) : undefined;
    case 'fixed':
      return text === fixedOf(field.type, field.modifier)?.text ? encoder.encode(text) : undefined;
    case 'unknown':
      return undefined;
  }
}

function shorten(text: string, most: number | undefined): string {
  return most === undefined || text.length <= most ? text : Array.from(text).slice(0, most).join('');
}

/** Only what a server surely takes: it knows fewer escapes, numbers and depths. */
function isJson(text: string): boolean {
  if (/\\u|\d[eE]|[[{]{100}/.test(text.replace(/\s/g, ''))) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Without characters that a server would refuse, escaped or not. */
function jsonString(text: string): string {
  return JSON.stringify(text.replace(/\0|\p{Surrogate}/gu, ''));
}

/** Whole, and with its zone, so that it means the same in every session. */
function momentText({ type }: ResultField, text: string): string {
  const [day, time = '00:00:00'] = text.replace('+00', '').split(' ');
  const kind = kindOf(type);
  if (kind === 'date') return `${day}`;
  return `${day} ${time}${kind === 'timestamptz' ? '+00' : ''}`;
}

function spellInteger(kind: 'int2' | 'int4' | 'int8' | 'oid', text: string): Uint8Array | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text);
  const bits = { int2: 16, int4: 32, int8: 64, oid: 32 }[kind];
  const inRange = kind === 'oid' ? value === BigInt.asUintN(32, value) : value === BigInt.asIntN(bits, value);
  if (!inRange) return undefined;
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, value);
  return new Uint8Array(view.buffer, 8 - bits / 8);
}

function spellFloat(kind: 'float4' | 'float8', text: string): Uint8Array | undefined {
  if (!FLOAT.test(text)) return undefined;
  const single = Math.fround(Number(text));
  if (kind === 'float4' && (!Number.isFinite(single) || (single === 0 && Number(text) !== 0))) return undefined;
  const view = new DataView(new ArrayBuffer(kind === 'float4' ? 4 : 8));
  if (kind === 'float4') view.setFloat32(0, Number(text));
  else view.setFloat64(0, Number(text));
  return new Uint8Array(view.buffer);
}

/** Milliseconds from 1970-01-01 to 2000-01-01, from where PostgreSQL counts. */
const POSTGRES_EPOCH = Date.UTC(2000, 0, 1);

function spellMoment(kind: 'date' | 'timestamp' | 'timestamptz', text: string): Uint8Array | undefined {
  const parts = MOMENT.exec(text);
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  moment.setUTCHours(hour, minute, second);
  if (year < 1 || moment.getUTCMonth() !== month - 1 || moment.getUTCDate() !== day || moment.getUTCHours() !== hour) {
    return undefined;
  }
  const since = moment.getTime() - POSTGRES_EPOCH;
  const view = new DataView(new ArrayBuffer(kind === 'date' ? 4 : 8));
  if (kind === 'date') view.setInt32(0, Math.floor(since / 86_400_000));
  else view.setBigInt64(0, BigInt(since) * 1000n);
  return new Uint8Array(view.buffer);
}

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})(\/32)?$/;

function spellIpv4(kind: 'inet' | 'cidr', text: string): Uint8Array | undefined {
  const parts = IPV4.exec(text)?.slice(1, 5).map(Number);
  if (!parts?.every((part) => part < 256)) return undefined;
  return Uint8Array.of(2, 32, kind === 'cidr' ? 1 : 0, 4, ...parts); // PGSQL_AF_INET, bits, is_cidr, length
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function int32s(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) view.setInt32(4 * index, value);
  return new Uint8Array(view.buffer);
}

const decoder = new TextDecoder();

/** The redacted value of a field's type as text; undefined: only NULL is sure to be one. */
export function redactedText(field: ResultField): string | undefined {
  const bytes = redacted({ ...field, format: 0 });
  return bytes && decoder.decode(bytes);
}

/** As `spell`, in the text format. */
export function spelledText(field: ResultField, text: string): string | undefined {
  const bytes = spell({ ...field, format: 0 }, text);
  return bytes && decoder.decode(bytes);
}
