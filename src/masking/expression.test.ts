import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MASK_STYLES, type Mask, type MaskObligation } from '../core/obligation.ts';
import { startPostgres, type ThrowawayPostgres } from '../devtools/postgres.ts';
import { maskExpression } from './expression.ts';
import { planResult } from './plan.ts';
import { cells, maskedRow, row } from './testing/rows.ts';
import type { ResultField } from './types.ts';

// Masks made by the server beside masks made on the wire.

let server: ThrowawayPostgres;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  client = new pg.Client({ ...server, database: 'postgres' });
  await client.connect();
  await client.query(`
    create extension citext;
    create domain short as varchar(4) check (value <> '***');
    create type mood as enum ('calm', 'loud');
    create type pair as (a int, b text);
    create schema trap;
    create function trap.length(text) returns int language sql as 'select 1/0';
    create function trap.left(text, int) returns text language sql as 'select $1';
    create operator trap.- (leftarg = int, rightarg = int, function = int4pl);
    create function trap.wrong(int, int) returns boolean language sql as 'select 1/0 = 1';
    create function trap.wrong(text, text) returns boolean language sql as 'select 1/0 = 1';
    create operator trap.> (leftarg = int, rightarg = int, function = trap.wrong);
    create operator trap.>= (leftarg = int, rightarg = int, function = trap.wrong);
    create operator trap.<= (leftarg = int, rightarg = int, function = trap.wrong);
    create operator trap.= (leftarg = text, rightarg = text, function = trap.wrong);
    create operator trap.~ (leftarg = text, rightarg = text, function = trap.wrong);
    create domain trap.point as int; create domain trap.int4range as int; create domain trap.text as int;
    create domain trap.uuid as int;
    create collation public.loose (provider = icu, locale = 'und', deterministic = false);
    set search_path = trap, pg_catalog, public; set timezone = 'Asia/Tokyo'; set datestyle = 'German';
    set xmloption = document`);
});
afterAll(async () => {
  await client?.end();
  await server?.stop();
});

const hasher = () => (value: Uint8Array) => Uint8Array.from({ length: 32 }, (_, i) => (value[0] ?? 0) ^ i);

const TEXTS = [
  '',
  'a',
  'ab',
  'abc',
  'abcdefgh',
  'a@b',
  '@b',
  'a@',
  'a@b@c.example',
  'alice@example.com',
  'é@x.example',
  'éa@ü.example',

  'a@b c',
  'a b@c.example',
  'a@b.example\n',
  '\n@b',
  'a\nb@c',
  "o'b\\x@c",
  '😀😀😀😀😀😀😀😀😀',
  'a@_',
  'a@[',
  '%_\\',
  '*'.repeat(300),

  `x@${'d'.repeat(253)}`,
  `x@${'d'.repeat(254)}`,
  `xy@${'é'.repeat(126)}`,
  `xy@${'é'.repeat(127)}`,
  '+1 202 555 0001',
];
const MOMENTS = [
  '2024-02-29',
  '0001-01-01',
  '9999-12-30',
  'infinity',
  '-infinity',
  '0044-03-15 BC',
  '12000-01-01',
  '1970-06-01',
  '2023-12-31 14:59:59.999999+00',
  '2023-12-31 15:00:00+00',
  '2023-12-31 23:59:59.999999+00',
  '2024-01-01 00:00:00+00',
  '9999-12-31 14:59:59+00',
];

const VALUES: Readonly<Record<string, readonly string[]>> = {
  'pg_catalog.text': TEXTS,
  'varchar(9)': TEXTS.filter((text) => Array.from(text).length <= 9),
  'varchar(20)': TEXTS.filter((text) => Array.from(text).length <= 20),
  'character(22)': TEXTS.filter((text) => Array.from(text).length <= 22),
  character: ['x'],
  name: ['some_name', 'a@b'],
  '"char"': ['q'],
  date: MOMENTS,
  timestamp: MOMENTS,
  timestamptz: MOMENTS,
  numeric: ['NaN', '1.5', '-0.001'],
  'numeric(2,2)': ['0.45'],
  int2: ['-3'],
  int8: ['9223372036854775807'],
  float8: ['NaN', 'Infinity'],
  bool: ['t'],
  'pg_catalog.uuid': ['550e8400-e29b-41d4-a716-446655440000'],
  inet: ['192.168.0.1/24', '2001:db8::1'],
  json: ['{"a": 1, "a": 2}', '3'],
  jsonb: ['{"a": 1}', '[]', 'null'],
  xml: ['<a>b</a>'],
  bytea: ['\\x00ff'],
  interval: ['1 year'],
  'time without time zone': ['12:00'],
  'pg_catalog.point': ['(1,2)'],
  'pg_catalog.int4range': ['[1,5)'],
  'bit(3)': ['101'],
  tsvector: ['a b'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  'bit varying(5)': ['101'],
  money: ['3.00'],
  'pg_catalog.text[]': ['{a,b}'],
  'timestamp with time zone[]': ['{2020-01-01}'],
  'pg_catalog.point[]': ['{"(1,2)"}'],
  'public.mood': ['loud'],
  'public.pair': ['(1,x)'],
  'public.short': ['abcd'],
};

function mask(style: MaskObligation['style'], constant = '[hidden]'): Mask {
  return { label: 'pii', style, ...(style === 'constant' ? { constant } : {}) };
}

interface Known {
  readonly type: number;
  readonly typeName: string;
  readonly modifier: number;
  readonly base?: { readonly type: number; readonly typeName: string };
}

async function known(type: string): Promise<Known> {
  const { rows } = await client.query(
    `select t.oid::int as type, replace(format_type(a.atttypid, a.atttypmod), 'pg_catalog.', '') as name, a.atttypmod as modifier, b.oid::int as base,
       format_type(b.oid, t.typtypmod) as base_name
     from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_type b on b.oid = nullif(t.typbasetype, 0)
     where a.attrelid = 'masked'::regclass and a.attname = 'v'`,
  );
  const { type: oid, name, modifier, base, base_name } = rows[0];
  const full = type.startsWith('public.') && !name.startsWith('public.') ? `public.${name}` : name;
  return { type: oid, typeName: full, modifier, ...(base ? { base: { type: base, typeName: base_name } } : {}) };
}

/** What the wire shows of the value in the text format. */
async function wireImage(style: MaskObligation['style'], text: string): Promise<string | null> {
  const { fields } = await client.query('select v from masked limit 1');
  const [described] = fields;
  const field: ResultField = {
    table: 1,
    attribute: 1,
    format: 0,
    type: described?.dataTypeID ?? 0,
    modifier: described?.dataTypeModifier ?? -1,
  };
  const plan = planResult([field], [{ kind: 'mask', column: 'c', table: 1, attribute: 1, ...mask(style) }], hasher);
  const body = row(Buffer.from(text));
  const [image] = cells(maskedRow(plan, body, 0, body.length));
  return image === null || image === undefined ? null : new TextDecoder().decode(image);
}

describe('a mask that the server computes', () => {
  it.each(Object.keys(VALUES))('of %s is the one made on the wire, or says less', async (type) => {
    await client.query(`drop table if exists public.masked; create table public.masked (n int, v ${type})`);
    const values = VALUES[type] ?? [];
    await client.query(
      `insert into masked select n, v::${type} from unnest($1::pg_catalog.text[]) with ordinality u(v, n)`,
      [values],
    );
    await client.query('insert into masked values (0, null)');
    const column = { reference: 's."v"', ...(await known(type)) };
    for (const style of MASK_STYLES) {
      const expression = maskExpression(column, [mask(style)]);
      const { rows, fields } = await client.query(
        `select n, ${expression} as v, ((${expression})::pg_catalog.text) as t from masked s order by n`,
      );
      expect(rows[0].t, `NULL by ${style}`).toBe(null);
      expect([column.type, column.base?.type], style).toContain(fields[1]?.dataTypeID);
      if (column.base === undefined) expect(fields[1]?.dataTypeModifier, style).toBe(column.modifier);
      for (const [index, value] of values.entries()) {
        const image = await wireImage(style === 'hash' ? 'redact' : style, await isoText(type, value));
        const read = image === null ? null : await readBack(column.base?.typeName ?? type, image);
        const got = rows[index + 1].t;
        const redacted = await wireImage('redact', value);
        const stricter = redacted === null ? null : await readBack(column.base?.typeName ?? type, redacted);
        expect([read, stricter, null], `${JSON.stringify(value)} by ${style}: ${got}`).toContain(got);
        if (/^(pg_catalog.text$|varchar|character|date|timestamp)/.test(type))
          expect(got, `${JSON.stringify(value)} by ${style}`).toBe(read);
      }
    }
  });

  it('never raises and shows nothing but the image, whatever the text', async () => {
    await client.query('drop table if exists public.masked; create table public.masked (n int, v pg_catalog.text)');
    const column = { reference: 's.v', type: 25, typeName: 'text' };
    const one = fc.string({
      unit: fc.constantFrom('a', '@', '.', ' ', '\n', 'é', '😀', '\\', "'", '*', '-', 'Z', '9', '\u0001', '\u007f'),
    });
    await fc.assert(
      fc.asyncProperty(one, fc.constantFrom(...MASK_STYLES), async (value, style) => {
        const { rows } = await client.query(
          `select ${maskExpression(column, [mask(style)])} as v from (select $1::pg_catalog.text as v) s`,
          [value],
        );
        expect(rows[0].v).toBe(await wireImage(style === 'hash' ? 'redact' : style, value));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the collation of the column, and heeds none that hides differences', async () => {
    await client.query(`drop table if exists public.masked;
      create table public.masked (v pg_catalog.text collate "POSIX", w pg_catalog.text collate loose);
      insert into masked values ('alice@example.com', 'alice@example.com\u200b'), ('x', 'x')`);
    const columns = { v: '"POSIX"', w: 'loose' };
    for (const style of MASK_STYLES) {
      for (const [name, collation] of Object.entries(columns)) {
        const masked = maskExpression({ reference: `s.${name}`, type: 25, typeName: 'text' }, [mask(style)]);
        const { rows } = await client.query(`select pg_collation_for(${masked}) as c from masked s`);
        const computed = style === 'email' || style === 'partial';
        expect(rows[0].c, `${style} of ${name}`).toBe(computed ? collation : '"default"');
        await client.query(
          `select from masked s join masked t on ${masked} operator(pg_catalog.=) t.${name} order by ${masked}`,
        );
      }
    }
  });

  it('takes citext for the text it is, and NULL for what is none', async () => {
    const column = { reference: 's.v', type: 70_000, typeName: 'public.citext' };
    const shown = async (style: MaskObligation['style'], value: string) => {
      const masked = maskExpression(column, [mask(style)]);
      const { rows } = await client.query(
        `select ${masked} as v, pg_typeof(${masked})::pg_catalog.text as t from (select $1::public.citext as v) s`,
        [value],
      );
      expect(rows[0].t).toBe('citext');
      return rows[0].v;
    };
    expect(await shown('email', 'Alice@Example.com')).toBe('A***@Example.com');
    expect(await shown('email', 'draft')).toBe(null);
    expect(await shown('partial', '4111111111111111')).toBe('************1111');
    for (const style of ['redact', 'hash', 'constant', 'date', 'null'] as const)
      expect(await shown(style, 'x')).toBe(null);
  });

  it('is NULL where a domain allows none, and for what is not known', async () => {
    await client.query('create domain public.sure as pg_catalog.int4 not null check (value operator(pg_catalog.>) 5)');
    const base = { type: 23, typeName: 'integer' };
    const column = { reference: 's.v', type: 70_000, typeName: 'public.sure', base };
    for (const style of MASK_STYLES) {
      const masked = maskExpression(column, [mask(style)]);
      const { rows } = await client.query(`select ${masked} as v from (select 7::public.sure as v) s`);
      expect([0, null], style).toContain(rows[0].v);
    }
    expect(maskExpression({ reference: 's.v', type: 70_001 }, [mask('email')])).toBe('NULL');
  });

  it.each<[string, string, string | null]>([
    ['numeric(5,2)', '1234.5', null],
    ['numeric(5,2)', '123.456', null],
    ['numeric(5,2)', '-123.4', '-123.40'],
    ['numeric(2,4)', '0.01', null],
    ['numeric(3,-2)', '0', '0'],
    ['real', '1e39', null],
    ['real', '1e-60', null],
    ['timestamp with time zone', '2000-01-01 00:00:00', '01.01.2000 09:00:00 JST'],
    ['timestamp without time zone', '2000-01-02', '02.01.2000 00:00:00'],
    ['date', '2000-01-02 03:04:05', '02.01.2000'],
    ['jsonb', '"\\u0000"', '"\\"\\\\u0000\\""'],
    ['jsonb', '1e99999', '"1e99999"'],
    ['jsonb', 'a\u0000\ud800', '"a"'],
    ['xml', 'a\u0000\u0001<b', 'ab'],
    ['pg_catalog.text', "a\u0000'\\b", "a'\\b"],
    ['inet', '010.0.0.1', null],
    ['"char"', 'é', null],
    ['boolean', 'true', 'true'],
  ])('of %s by the constant %j never raises and is %j', async (type, constant, expected) => {
    await client.query(`drop table if exists public.masked; create table public.masked (n int, v ${type})`);
    const column = { reference: 's.v', ...(await known(type)) };
    const value = maskExpression(column, [mask('constant', constant)]).replace('s.v IS NULL', 'false');
    const { rows } = await client.query(`select (${value})::pg_catalog.text as v`);
    expect(rows[0].v).toBe(expected);
  });

  it.each<[string, string[][], string]>([
    ['{"ssn": "1", "name": "x"}', [['ssn']], '{"ssn": "***", "name": "x"}'],
    ['{"a": {"b": 1, "c": 2}}', [['a', 'b']], '{"a": {"b": "***", "c": 2}}'],
    ['{"a": {"b": 1, "c": 2}, "d": []}', [['a', 'b'], ['d']], '{"a": {"b": "***", "c": 2}, "d": "***"}'],
    ['{"name": "x"}', [['ssn']], '{"name": "x"}'],
    ['{"a": {"b": 1}}', [['a'], ['a', 'b']], '{"a": "***"}'],
    ['{"a": {"b": 1}}', [['a', 'b'], ['a']], '{"a": "***"}'],
    ['{"a": {"7": 1}}', [['a', '7']], '{"a": {"7": "***"}}'],
    [
      '{"a": 5}',
      [
        ['a', 'b'],
        ['a', 'c'],
      ],
      '{"a": 5}',
    ],
    ['{"a": [{"b": 1}]}', [['a', 'b']], '"[redacted]"'],
    ['[{"b": 1}]', [['b']], '"[redacted]"'],
    ['3', [['b']], '"[redacted]"'],
    ['{"a": 1}', [['a', 'b', 'c']], '{"a": 1}'],
    ['{"o\'b\\\\": 1}', [["o'b\\"]], '{"o\'b\\\\": "***"}'],
  ])('covers in %s what lies at %j', async (value, paths, expected) => {
    const column = { reference: 's.v', type: 3802, typeName: 'jsonb' };
    const masks = paths.map((path) => ({ label: 'pii', style: 'redact', path }) as const);
    const { rows } = await client.query(
      `select (${maskExpression(column, masks)})::pg_catalog.text as v from (select $1::jsonb as v) s`,
      [value],
    );
    expect(JSON.parse(rows[0].v)).toEqual(JSON.parse(expected));
  });
});

/** Dates as the wire mask reads them: it redacts what it does not know. */
async function isoText(type: string, value: string): Promise<string> {
  if (type === 'character(22)') return value.padEnd(value.length + 22 - Array.from(value).length);
  if (!/^(date|timestamp)/.test(type)) return value;
  await client.query(`set datestyle = 'ISO'`);
  const { rows } = await client.query(`select ($1::${type})::pg_catalog.text as v`, [value]);
  await client.query(`set datestyle = 'German'`);
  return rows[0].v;
}

async function readBack(type: string, image: string): Promise<string> {
  if (type === 'xml') return image;
  const { rows } = await client.query(`select (($1::pg_catalog.text)::${type})::pg_catalog.text as v`, [image]);
  return rows[0].v;
}
