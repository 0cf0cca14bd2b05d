import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MASK_STYLES, type MaskObligation } from '../core/obligation.ts';
import { startPostgres, type ThrowawayPostgres } from '../devtools/postgres.ts';
import { maskExpression, type SourceMask } from './expression.ts';
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
    create domain short as varchar(4) check (value <> '***');
    create type mood as enum ('calm', 'loud');
    create type pair as (a int, b text);
    create schema trap;
    create function trap.length(text) returns int language sql as 'select 1/0';
    create function trap.left(text, int) returns text language sql as 'select $1';
    create operator trap.- (leftarg = int, rightarg = int, function = int4pl);
    set search_path = trap, pg_catalog, public; set timezone = 'Asia/Tokyo'; set datestyle = 'German'`);
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
];

const VALUES: Readonly<Record<string, readonly string[]>> = {
  text: TEXTS,
  'varchar(9)': TEXTS.filter((text) => Array.from(text).length <= 9),
  'varchar(20)': TEXTS.filter((text) => Array.from(text).length <= 20),
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
  uuid: ['550e8400-e29b-41d4-a716-446655440000'],
  inet: ['192.168.0.1/24', '2001:db8::1'],
  json: ['{"a": 1, "a": 2}', '3'],
  jsonb: ['{"a": 1}', '[]', 'null'],
  xml: ['<a>b</a>'],
  bytea: ['\\x00ff'],
  interval: ['1 year'],
  'time without time zone': ['12:00'],
  point: ['(1,2)'],
  int4range: ['[1,5)'],
  'bit(3)': ['101'],
  tsvector: ['a b'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  'text[]': ['{a,b}'],
  'public.mood': ['loud'],
  'public.pair': ['(1,x)'],
  'public.short': ['abcd'],
};

function mask(style: MaskObligation['style'], constant = '[hidden]'): SourceMask {
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
    `select t.oid::int as type, format_type(a.atttypid, a.atttypmod) as name, a.atttypmod as modifier, b.oid::int as base,
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
    await client.query(`insert into masked select n, v::${type} from unnest($1::text[]) with ordinality u(v, n)`, [
      values,
    ]);
    await client.query('insert into masked values (0, null)');
    const column = { reference: 's."v"', ...(await known(type)) };
    for (const style of MASK_STYLES) {
      const expression = maskExpression(column, [mask(style)]);
      const { rows, fields } = await client.query(
        `select n, ${expression} as v, ((${expression})::text) as t from masked s order by n`,
      );
      expect(rows[0].t, `NULL by ${style}`).toBe(null);
      expect([column.type, column.base?.type], style).toContain(fields[1]?.dataTypeID);
      for (const [index, value] of values.entries()) {
        const image = await wireImage(style === 'hash' ? 'redact' : style, await isoText(type, value));
        const read = image === null ? null : await readBack(column.base?.typeName ?? type, image);
        const got = rows[index + 1].t;
        const redacted = await wireImage('redact', value);
        const stricter = redacted === null ? null : await readBack(column.base?.typeName ?? type, redacted);
        expect([read, stricter, null], `${JSON.stringify(value)} by ${style}: ${got}`).toContain(got);
        if (/^(text|varchar|date|timestamp$)/.test(type))
          expect(got, `${JSON.stringify(value)} by ${style}`).toBe(read);
      }
    }
  });

  it('never raises and shows nothing but the image, whatever the text', async () => {
    await client.query('drop table if exists public.masked; create table public.masked (n int, v text)');
    const column = { reference: 's.v', type: 25, typeName: 'text' };
    const one = fc.string({
      unit: fc.constantFrom('a', '@', '.', ' ', '\n', 'é', '😀', '\\', "'", '*', '-', 'Z', '9', '\u0001', '\u007f'),
    });
    await fc.assert(
      fc.asyncProperty(one, fc.constantFrom(...MASK_STYLES), async (value, style) => {
        const { rows } = await client.query(
          `select ${maskExpression(column, [mask(style)])} as v from (select $1::text as v) s`,
          [value],
        );
        expect(rows[0].v).toBe(await wireImage(style === 'hash' ? 'redact' : style, value));
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, string[][], string]>([
    ['{"ssn": "1", "name": "x"}', [['ssn']], '{"ssn": "***", "name": "x"}'],
    ['{"a": {"b": 1, "c": 2}}', [['a', 'b']], '{"a": {"b": "***", "c": 2}}'],
    ['{"a": {"b": 1, "c": 2}, "d": []}', [['a', 'b'], ['d']], '{"a": {"b": "***", "c": 2}, "d": "***"}'],
    ['{"name": "x"}', [['ssn']], '{"name": "x"}'],
    ['{"a": [{"b": 1}]}', [['a', 'b']], '"[redacted]"'],
    ['[{"b": 1}]', [['b']], '"[redacted]"'],
    ['3', [['b']], '"[redacted]"'],
    ['{"a": 1}', [['a', 'b', 'c']], '{"a": 1}'],
    ['{"o\'b\\\\": 1}', [["o'b\\"]], '{"o\'b\\\\": "***"}'],
  ])('covers in %s what lies at %j', async (value, paths, expected) => {
    const column = { reference: 's.v', type: 3802, typeName: 'jsonb' };
    const masks = paths.map((path) => ({ label: 'pii', style: 'redact', path }) as const);
    const { rows } = await client.query(
      `select (${maskExpression(column, masks)})::text as v from (select $1::jsonb as v) s`,
      [value],
    );
    expect(JSON.parse(rows[0].v)).toEqual(JSON.parse(expected));
  });
});

/** Dates as the wire mask reads them: it redacts what it does not know. */
async function isoText(type: string, value: string): Promise<string> {
  if (!/^(date|timestamp)/.test(type)) return value;
  await client.query(`set datestyle = 'ISO'; set timezone = 'UTC'`);
  const { rows } = await client.query(`select ($1::${type})::text as v`, [value]);
  await client.query(`set datestyle = 'German'; set timezone = 'Asia/Tokyo'`);
  return rows[0].v;
}

async function readBack(type: string, image: string): Promise<string> {
  const { rows } = await client.query(`select (($1::text)::${type})::text as v`, [image]);
  return rows[0].v;
}
