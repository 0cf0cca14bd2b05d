import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASK_STYLES, type MaskObligation, type MaskStyle } from '../core/obligation.ts';
import { maskerFor } from './masks.ts';
import { bytesOf, textOf } from './testing/rows.ts';
import type { ResultField } from './types.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

const hasher = (label: string) => (bytes: Uint8Array) =>
  new Uint8Array(createHmac('sha256', label).update(bytes).digest());

const TYPES: Readonly<Record<string, number>> = {
  bool: 16,
  bytea: 17,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  xml: 142,
  cidr: 650,
  float4: 700,
  float8: 701,
  macaddr: 829,
  inet: 869,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
  'text[]': 1009,
  'int4[]': 1007,
  'jsonb[]': 3807,
  citext: 20000,
  point: 600,
};

function field(type: string, format: 0 | 1 = 0, modifier = -1): ResultField {
  return { table: 1, attribute: 1, type: TYPES[type] ?? 0, modifier, format };
}

function masked(of: ResultField, style: MaskStyle, value: Uint8Array, constant?: string): Uint8Array | null {
  const obligation: MaskObligation = {
    kind: 'mask',
    column: 'c',
    table: 1,
    attribute: 1,
    label: 'pii',
    style,
    ...(constant === undefined ? {} : { constant }),
  };
  const masker = maskerFor(of, [obligation], hasher);
  const from = Uint8Array.of(0xff, ...value, 0xff);
  const before = from.slice();
  const room = masker.most(value.length);
  const to = new Uint8Array(room + 6).fill(0xaa);
  const length = masker.mask(from, 1, 1 + value.length, to, 3);
  expect(length).toBeLessThanOrEqual(room);
  expect(from).toEqual(before);
  expect(
    [...to.subarray(0, 3), ...to.subarray(3 + Math.max(length, 0))].every((byte) => byte === 0xaa || length > 0),
  ).toBe(true);
  return length < 0 ? null : to.slice(3, 3 + length);
}

function shown(
  type: string,
  style: MaskStyle,
  value: string,
  more: { modifier?: number; constant?: string } = {},
): string | null {
  const bytes = masked(field(type, 0, more.modifier), style, bytesOf(value), more.constant);
  return bytes && textOf(bytes);
}

/** What a client's decoder takes for each type in text format, and how long each is in binary. */
const DECODES: Readonly<Record<string, RegExp>> = {
  bool: /^[tf]$/,
  bytea: /^\\x([0-9a-f]{2})*$/,
  name: /^.{0,63}$/s,
  int8: /^-?\d{1,19}$/,
  int2: /^-?\d{1,5}$/,
  int4: /^-?\d{1,10}$/,
  text: /^.*$/s,
  oid: /^\d{1,10}$/,
  xml: /^[^<>&]*$/,
  cidr: /^[\d.]+\/32$/,
  float4: /^-?\d+(\.\d+)?$/,
  float8: /^-?\d+(\.\d+)?$/,
  macaddr: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/,
  inet: /^[\d.]+$/,
  bpchar: /^.*$/s,
  varchar: /^.*$/s,
  date: /^\d{4}-\d\d-\d\d$/,
  time: /^\d\d:\d\d:\d\d$/,
  timestamp: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
  timestamptz: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/,
  interval: /^\d\d:\d\d:\d\d$/,
  timetz: /^\d\d:\d\d:\d\d\+00$/,
  numeric: /^-?\d+(\.\d+)?$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'text[]': /^\{\}$/,
  'int4[]': /^\{\}$/,
  'jsonb[]': /^\{\}$/,
};
const BINARY: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 8,
  int2: 2,
  int4: 4,
  oid: 4,
  cidr: 8,
  float4: 4,
  float8: 8,
  macaddr: 6,
  inet: 8,
  date: 4,
  time: 8,
  timestamp: 8,
  timestamptz: 8,
  interval: 16,
  timetz: 12,
  uuid: 16,
  'text[]': 12,
  'int4[]': 12,
  'jsonb[]': 12,
};

describe('a mask', () => {
  const types = Object.keys(TYPES);
  it('decodes as its type, whatever the value was', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom(...MASK_STYLES),
        fc.constantFrom<0 | 1>(0, 1),
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc.string({ unit: 'grapheme' }).map(bytesOf),
          fc.emailAddress().map(bytesOf),
          fc.date({ noInvalidDate: true }).map((date) => bytesOf(date.toISOString().replace('T', ' ').slice(0, 19))),
        ),
        (type, style, format, value) => {
          const result = masked(field(type, format), style, value, 'x');
          if (result === null) return;
          const json = type === 'json' || type === 'jsonb';
          if (format === 1 && type === 'jsonb') expect(result[0]).toBe(1);
          if (json)
            expect(() => JSON.parse(textOf(result.subarray(format === 1 && type === 'jsonb' ? 1 : 0)))).not.toThrow();
          else if (format === 1 && type in BINARY) expect(result).toHaveLength(BINARY[type] ?? 0);
          else if (format === 0 && type in DECODES)
            expect(new TextDecoder().decode(result)).toMatch(DECODES[type] ?? /$^/);
        },
      ),
      { numRuns: 3000 * EFFORT },
    );
  });

  it('never shows a value whole, unless it was what everybody sees', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom(...MASK_STYLES),
        fc.string({ minLength: 1, unit: 'grapheme' }),
        (type, style, value) => {
          const result = shown(type, style, value, { constant: '[constant]' });
          if (result !== null && result === value)
            expect(result).toMatch(/^(0|f|\*+|[{}]+|0+[-.:0/+]*0+|\d{4}-01-01.*|\[.*\])$/);
        },
      ),
    );
  });

  it('keeps UTF-8 whole', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('text', 'varchar', 'bpchar', 'name', 'citext'),
        fc.constantFrom(...MASK_STYLES),
        fc.string({ unit: 'grapheme' }),
        fc.nat(12),
        (type, style, value, most) => {
          const modifier = type === 'varchar' || type === 'bpchar' ? most + 4 : -1;
          const result = shown(type, style, value, { modifier, constant: 'ünïcödé' });
          const characters = Array.from(value).length;
          if (modifier > 0 && characters <= most) expect(Array.from(result ?? '').length).toBeLessThanOrEqual(most);
        },
      ),
    );
  });

  it.each([
    ['text', 'redact', 'secret', '[redacted]'],
    ['varchar', 'redact', 'secret', '[red', 8],
    ['bpchar', 'redact', 'se', '[r', 6],
    ['text', 'null', 'secret', null],
    ['text', 'partial', '4111111111111111', '************1111'],
    ['text', 'partial', '123-45-6789', '*******6789'],
    ['text', 'partial', 'åäöåäöåäö', '******åäö'],
    ['text', 'partial', 'abcd', '***d'],
    ['text', 'partial', 'abc', '***'],
    ['text', 'partial', 'a', '*'],
    ['text', 'partial', '', ''],
    ['json', 'partial', '"abcdefgh"', '"[redacted]"'],
    ['text', 'email', 'alice@example.com', 'a***@example.com'],
    ['text', 'email', 'a@example.com', '***@example.com'],
    ['text', 'email', 'émile@exämple.com', 'é***@exämple.com'],
    ['text', 'email', '"a@b"@example.com', '"***@example.com'],
    ['text', 'email', 'call me, or write to x@y.z and ask', '[redacted]'],
    ['text', 'email', 'not an address', '[redacted]'],
    ['text', 'email', '@example.com', '[redacted]'],
    ['varchar', 'email', 'ab@x.io', '[redact', 11],
    ['citext', 'email', 'alice@example.com', 'a***@example.com'],
    ['citext', 'email', 'draft', null],
    ['citext', 'partial', 'draft', null],
    ['citext', 'redact', 'draft', null],
    ['point', 'redact', '(1,2)', '(0,0)'],
    ['int4', 'email', '7', '0'],
    ['numeric', 'partial', '1234.56', '0'],
    ['date', 'date', '1983-07-19', '1983-01-01'],
    ['timestamp', 'date', '1983-07-19 10:11:12.123', '1983-01-01 00:00:00'],
    ['timestamptz', 'date', '1983-07-19 10:11:12+02', '1983-01-01 00:00:00+00'],
    ['date', 'date', '19/07/1983', '1970-01-01'],
    ['date', 'date', '0044-03-15 BC', '1970-01-01'],
    ['date', 'date', 'infinity', '1970-01-01'],
    ['text', 'date', '1983-07-19', '[redacted]'],
    ['bool', 'hash', 't', 'f'],
    ['int4[]', 'hash', '{1,2}', '{}'],
  ] as const)('of %s by %s turns %j into %j', (type, style, value, expected, modifier?: number) => {
    expect(shown(type, style, value, { modifier: modifier ?? -1 })).toBe(expected);
  });

  it.each([
    ['text', 'hidden', 'hidden'],
    ['int4', '-7', '-7'],
    ['int4', '7000000000', null],
    ['int4', 'x', null],
    ['bool', 'true', 'true'],
    ['date', '2000-02-30', null],
    ['date', '2000-02-29', '2000-02-29'],
    ['json', 'hidden', '"hidden"'],
    ['json', '{"a":1}', '{"a":1}'],
    ['uuid', 'x', null],
    ['numeric', '1.50', '1.50'],
    ['citext', 'x', null],
    ['xml', '<a>b</a>', 'ab/a'],
  ] as const)('by constant in %s shows %j as %j', (type, constant, expected) => {
    expect(shown(type, 'constant', 'value', { constant })).toBe(expected);
  });

  it('by hash is the same for equal values in both formats, and another for other labels', () => {
    const int = (value: number): Uint8Array => Uint8Array.of(value >> 24, value >> 16, value >> 8, value);
    const binary = masked(field('int4', 1), 'hash', int(42));
    expect(new DataView(binary!.buffer).getInt32(0)).toBe(Number(shown('int4', 'hash', '42')));
    expect(shown('int4', 'hash', '42')).not.toBe(shown('int4', 'hash', '43'));
    expect(shown('text', 'hash', 'alice')).toMatch(/^[0-9a-f]{32}$/);
    expect(shown('text', 'hash', 'alice')).toBe(shown('varchar', 'hash', 'alice'));
    expect(shown('varchar', 'hash', 'alice', { modifier: 14 })).toHaveLength(10);
  });

  it('by date in binary keeps the year', () => {
    const days = (text: string): number => (Date.parse(text) - Date.UTC(2000, 0, 1)) / 86_400_000;
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          const january = `${date.toISOString().slice(0, 4)}-01-01`;
          const whole = days(date.toISOString().slice(0, 10));
          const view = new DataView(new ArrayBuffer(8));
          view.setInt32(0, whole);
          const result = masked(field('date', 1), 'date', new Uint8Array(view.buffer, 0, 4));
          expect(new DataView(result!.buffer).getInt32(0)).toBe(days(january));
          view.setBigInt64(0, BigInt(date.getTime() - Date.UTC(2000, 0, 1)) * 1000n);
          const stamp = masked(field('timestamp', 1), 'date', new Uint8Array(view.buffer));
          expect(new DataView(stamp!.buffer).getBigInt64(0)).toBe(BigInt(days(january)) * 86_400_000_000n);
        },
      ),
    );
  });
});
