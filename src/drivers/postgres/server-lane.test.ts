import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnUse, StatementFacts } from '../../core/facts.ts';
import type { DetectObligation, MaskObligation, Obligation } from '../../core/obligation.ts';
import type { Clearance } from '../../core/operation.ts';
import type { Session } from '../../core/session.ts';
import { cells, row, textOf, texts } from '../../masking/testing/rows.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { Backend, backendLimit } from '../../wire/postgres/types.ts';
import { concat } from '../../wire/testing/bytes.ts';
import { Conversation } from './conversation.ts';
import { Run } from './run.ts';
import { ServerLane } from './server-lane.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

const TABLE = 16_400;
const WIDTH = 5;
const encoder = new TextEncoder();

function message(type: number, body: Uint8Array): Uint8Array {
  const head = Uint8Array.of(type, 0, 0, 0, 0);
  new DataView(head.buffer).setInt32(1, body.length + 4);
  return concat([head, body]);
}

/** Columns of text, all of one table. */
const description = message(
  Backend.rowDescription,
  concat([
    Uint8Array.of(0, WIDTH),
    ...Array.from({ length: WIDTH }, (_, n) => {
      const bytes = new Uint8Array(20);
      const view = new DataView(bytes.buffer);
      bytes.set(encoder.encode('c'));
      view.setInt32(2, TABLE);
      view.setInt16(6, n + 1);
      view.setInt32(8, 25);
      view.setInt16(12, -1);
      view.setInt32(14, -1);
      return bytes;
    }),
  ]),
);
const done = message(Backend.commandComplete, encoder.encode('SELECT 1\0'));
const ready = message(Backend.readyForQuery, encoder.encode('I'));

function mask(attribute: number, style: MaskObligation['style']): MaskObligation {
  return { kind: 'mask', column: `c${attribute}`, table: TABLE, attribute, label: 'pii', style };
}

interface Told {
  readonly client: Uint8Array;
  readonly recorded: Uint8Array;
  readonly rows: number;
}

/** What a client is told of some results, each of one statement, when their bytes are read in the given sizes. */
function tell(
  results: readonly (readonly Uint8Array[])[],
  obligations: readonly Obligation[],
  sizes: readonly { readonly read: number; readonly waiting: boolean }[],
): Told {
  const recorded: Uint8Array[] = [];
  let rows = 0;
  const session = {
    target: { name: 'shop', recording: { mode: 'required', rows: 1_000 } },
    database: 'shop',
    role: 'app',
    meter: () => undefined,
    hasher: () => (bytes: Uint8Array) => new Uint8Array(32).fill(bytes.length),
    reader: { changed: () => {} },
    tape: {
      frames: (_sequence: number, bytes: Uint8Array) => void recorded.push(bytes.slice()),
      done: (_sequence: number, outcome: { rows: number }) => {
        rows += outcome.rows;
      },
    },
  } as unknown as Session;
  const columns = Array.from({ length: WIDTH }, (_, n): ColumnUse => {
    return { column: { kind: 'Column', path: [] }, use: 'read', labels: [], table: TABLE, attribute: n + 1 };
  });
  const statement = { columns, copy: undefined, ddl: false } as unknown as StatementFacts;
  const clearance = { operation: { facts: { statements: [statement] } }, sequence: 1, obligations };
  const talk = new Conversation(session, {} as Duplex);
  for (const _ of results) {
    talk.pending.push({ kind: 'query', run: new Run(clearance as unknown as Clearance, session, talk.leaving) });
  }
  const lane = new ServerLane(talk);
  const stream = concat(
    results.flatMap((each) => [description, ...each.map((body) => message(Backend.dataRow, body)), done, ready]),
  );
  const client: Uint8Array[] = [];
  const lent: { readonly view: Uint8Array; readonly was: Uint8Array }[] = [];
  for (let at = 0, n = 0; at < stream.length; n++) {
    const { read, waiting } = sizes[n % sizes.length] ?? { read: 1, waiting: false };
    const room = lane.room();
    const count = Math.min(read, room.length, stream.length - at);
    room.set(stream.subarray(at, at + count));
    at += count;
    if (!waiting) for (const { view, was } of lent.splice(0)) expect(view).toEqual(was);
    lane.receive(count, waiting);
    const view = talk.toClient.take();
    if (view !== undefined) {
      client.push(view.slice());
      lent.push({ view, was: view.slice() });
    }
    lane.written(waiting);
    if (!waiting) lent.length = 0;
  }
  return { client: concat(client), recorded: concat(recorded), rows };
}

/** The rows in a stream, by a second reading of it. */
function rowsIn(stream: Uint8Array): Uint8Array[] {
  const framer = new Framer(backendLimit);
  framer.push(stream);
  const found: Uint8Array[] = [];
  while (framer.next() === 'frame') {
    if (framer.type === Backend.dataRow) found.push(stream.slice(framer.start + 5, framer.end));
  }
  expect(framer.pending).toBe(0);
  return found;
}

const cell = fc.option(
  fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ minLength: 40, maxLength: 400 }),
    fc.constantFrom('alice@example.com', 'a@b', 'paid with 4111 1111 1111 1111', 'x'.repeat(70_000)),
  ),
);
const result = fc.array(fc.array(cell, { minLength: WIDTH, maxLength: WIDTH }), { maxLength: 30 });
const sizes = fc
  .array(
    fc.record({
      read: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.nat(5_000), fc.nat(200_000)),
      waiting: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((each) => [...each.map(({ read, waiting }) => ({ read: read + 1, waiting })), { read: 60_000, waiting: false }]);

/** As somebody would write it who has all the time there is: strings, cell by cell. */
function slowly(value: string | null | undefined, column: number): string | null {
  if (value === null || value === undefined) return null;
  if (column === 1) {
    const [, local = '', domain = ''] = /^(.*)@([a-z0-9.-]+)$/is.exec(value) ?? [];
    if (local === '' || domain.length > 253) return '[redacted]';
    const first = String.fromCodePoint(local.codePointAt(0) ?? 0);
    return `${local.length > first.length ? first : ''}***@${domain}`;
  }
  if (column === 2) return '[redacted]';
  if (column === 3) return null;
  return value.replace('4111 1111 1111 1111', '**** **** **** 1111');
}

describe('rows on their way to the client', () => {
  const detect: DetectObligation = Object.assign({ kind: 'detect', detectors: ['card'] } as const, {
    ['then' as const]: 'mask' as const,
  });
  const obligations = [mask(2, 'email'), mask(3, 'redact'), mask(4, 'null'), detect];

  it('are masked as by hand, whatever is read at once and whatever the client is slow to take', () => {
    fc.assert(
      fc.property(fc.array(result, { minLength: 1, maxLength: 3 }), sizes, (results, pattern) => {
        const bodies = results.map((rows) => rows.map((values) => row(...values)));
        const told = tell(bodies, obligations, pattern);
        const wanted = results.flat().map((values) => values.map((value, n) => slowly(value, n)));
        expect(rowsIn(told.client).map(texts)).toEqual(wanted);
        expect(told.rows).toBe(wanted.length);
        expect(rowsIn(told.recorded).map(texts)).toEqual(wanted);
      }),
      { numRuns: 80 * EFFORT },
    );
  });

  it('pass as they are where nothing is masked', () => {
    fc.assert(
      fc.property(result, sizes, (rows, pattern) => {
        const bodies = rows.map((values) => row(...values));
        const told = tell([bodies], [], pattern);
        expect(told.client).toEqual(
          concat([description, ...bodies.map((body) => message(Backend.dataRow, body)), done, ready]),
        );
      }),
      { numRuns: 50 * EFFORT },
    );
  });

  it('never leave when they are not what was described', () => {
    const short = row('a', 'b');
    expect(() => tell([[row('a', 'b', 'c', 'd', 'e'), short]], obligations, [{ read: 9_999, waiting: false }])).toThrow(
      expect.objectContaining({ code: 'TARGET_PROTOCOL' }),
    );
    expect(cells(short)).toHaveLength(2);
    expect(textOf(short.subarray(6, 7))).toBe('a');
  });
});
