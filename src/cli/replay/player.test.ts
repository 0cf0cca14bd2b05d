import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxTable } from '../output.ts';
import { Player } from './player.ts';
import { ResultReader } from './result.ts';
import { showValue } from './value.ts';

function message(type: string, ...body: (number[] | string)[]): Uint8Array {
  const bytes = Buffer.concat(body.map((part) => Buffer.from(part as string)));
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeUInt32BE(bytes.length + 4, 1);
  return new Uint8Array(Buffer.concat([header, bytes]));
}

const int16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
const int32 = (value: number): number[] => [(value >> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255];

function description(...fields: { name: string; type?: number; format?: number }[]): Uint8Array {
  const parts = fields.flatMap(({ name, type = 25, format = 0 }) => [
    `${name}\0`,
    [...int32(0), ...int16(0), ...int32(type), ...int16(-1), ...int32(-1), ...int16(format)],
  ]);
  return message('T', int16(fields.length), ...parts);
}

function row(...cells: (string | number[] | null)[]): Uint8Array {
  const parts = cells.flatMap((cell) =>
    cell === null ? [int32(-1)] : [int32(Buffer.from(cell as string).length), cell],
  );
  return message('D', int16(cells.length), ...parts);
}

const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function read(...chunks: Uint8Array[]) {
  const reader = new ResultReader();
  for (const chunk of chunks) reader.push(chunk);
  return reader.results();
}

describe('recorded frames', () => {
  const bytes = joined(
    description({ name: 'id', type: 23, format: 1 }, { name: 'email' }),
    row([0, 0, 1, 2], 'a***@x'),
    row([0, 0, 0, 7], null),
  );

  it('become the table the client saw', () => {
    expect(read(bytes)).toEqual([
      {
        head: ['id', 'email'],
        rows: [
          ['258', 'a***@x'],
          ['7', 'NULL'],
        ],
        copied: [],
        problem: undefined,
      },
    ]);
  });

  it('are read the same however they were cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(read(...chunks)).toEqual(read(bytes));
      }),
    );
  });

  it('that are anything at all never stop a replay', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (chunks) => {
        expect(Array.isArray(read(...chunks))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('T', 'D', 'd'), (body, type) => {
        expect(Array.isArray(read(message(type, [...body])))).toBe(true);
      }),
    );
  });

  it('say when they end in the middle, or lie about their length', () => {
    expect(read(bytes.subarray(0, bytes.length - 3)).at(-1)?.problem).toContain('inside a message');
    expect(
      read(joined(description({ name: 'a' }), message('D', int16(1), int32(100), 'short'))).at(-1)?.problem,
    ).toContain('need 100');
    expect(read(new Uint8Array([0x44, 0, 0, 0, 3]))[0]?.problem).toContain('shorter than itself');
  });

  it('of several statements are several results, and COPY is lines', () => {
    const two = read(joined(description({ name: 'a' }), row('1'), description({ name: 'b' }), row('2')));
    expect(two.map((result) => result.head)).toEqual([['a'], ['b']]);
    expect(read(joined(message('d', '1\tx\n'), message('d', '2\ty\n')))[0]?.copied).toEqual(['1\\tx', '2\\ty']);
  });
});

describe('a value', () => {
  const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
  it.each([
    ['text', '616263', 25, 0, 'abc'],
    ['a bool', '01', 16, 1, 't'],
    ['an int8', 'ffffffffffffffff', 20, 1, '-1'],
    ['a uuid', '00112233445566778899aabbccddeeff', 2950, 1, '00112233-4455-6677-8899-aabbccddeeff'],
    ['a date', '00000001', 1082, 1, '2000-01-02'],
    ['a timestamp', '00000000000f4240', 1184, 1, '2000-01-01T00:00:01.000Z'],
    ['jsonb', '017b7d', 3802, 1, '{}'],
    ['an int4 that was described as text', '00000005', 23, 0, '5'],
    ['bytes of no known type', 'ff00', 17, 1, '\\xff00'],
    ['an int4 of a wrong length', 'ff0000', 23, 1, '\\xff0000'],
  ])('is shown: %s', (_name, hex, type, format, shown) => {
    expect(showValue(bytes(hex), { type, format: format as 0 | 1 })).toBe(shown);
  });

  it('cannot steer the terminal', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom<0 | 1>(0, 1), (value, format) => {
        expect(showValue(value, { type: 25, format })).not.toMatch(
          /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
        );
      }),
    );
    expect(showValue(new TextEncoder().encode('\u001b]0;owned\u0007'), undefined)).toBe('\\u001b]0;owned\\u0007');
  });

  it('is cut when it is long', () => {
    expect(showValue(new TextEncoder().encode('x'.repeat(1000)), undefined)).toMatch(/^x{200}… \(1000 characters\)$/);
  });
});

describe('a replay', () => {
  const frames = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const play = (...entries: object[]): string => {
    const player = new Player();
    const lines = entries.flatMap((entry) => player.play(entry as Record<string, unknown>));
    return [...lines, ...player.end()].join('\n');
  };

  it('shows what was asked, decided, shown, and how it ended', () => {
    const text = play(
      {
        kind: 'open',
        sequence: 0,
        body: { chain: 'alice > ci (attested)', target: 'shop', database: 'shop', role: 'app', agents: [] },
      },
      {
        kind: 'asked',
        sequence: 1,
        body: {
          text: 'select email\nfrom customers where id = $1',
          parameters: ['7'],
          decision: 'permit',
          policies: ['reads'],
          masked: ['shop/…/email email'],
        },
      },
      { kind: 'frames', sequence: 1, frames: frames(joined(description({ name: 'email' }), row('a***@x'))) },
      { kind: 'done', sequence: 1, body: { tag: 'SELECT 1', error: null, rows: 1, bytes: 6, ms: 1.5 } },
      {
        kind: 'refused',
        sequence: 2,
        body: { text: 'drop table x', parameters: null, reason: 'forbidden', message: 'no', policies: ['guard'] },
      },
      { kind: 'close', sequence: 0, body: { cause: 'client', operations: 2, denied: 1, rows: 1 } },
    );
    for (const part of [
      'alice > ci (attested)',
      '1> select email',
      '$1 = "7"',
      'permitted by reads',
      'masked:',
      'a***@x',
      'SELECT 1',
      'denied by guard (forbidden): no',
      'closed: client, 2 operations, 1 denied',
    ]) {
      expect(text).toContain(part);
    }
    expect(boxTable(['a'], [['b']])).not.toContain('\u001b');
  });

  it('keeps overlapping operations apart and says what was cut', () => {
    const text = play(
      { kind: 'frames', sequence: 1, frames: frames(joined(description({ name: 'first' }), row('1'))) },
      { kind: 'frames', sequence: 2, frames: frames(joined(description({ name: 'second' }), row('2'))) },
      { kind: 'done', sequence: 2, body: { tag: 'SELECT 9', rows: 9, bytes: 1, ms: 1 } },
    );
    expect(text.indexOf('second')).toBeLessThan(text.indexOf('first'));
    expect(text).toContain('8 more rows were not recorded');
    expect(text).toContain('(1) was not done');
  });

  it('shows a statement that wants to steer the terminal as text', () => {
    const text = play({
      kind: 'asked',
      sequence: 1,
      body: { text: 'select 1 --\u001b[2J\u202e', parameters: ['\u001b'], decision: 'permit', policies: [] },
    });
    expect(text.replace(/\u001b\[\d+m/g, '')).not.toMatch(/[\u001b\u202e]/);
  });
});
