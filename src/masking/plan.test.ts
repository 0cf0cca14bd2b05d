import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../core/fault.ts';
import type { DetectObligation, MaskObligation, Obligation } from '../core/obligation.ts';
import { planResult, type ResultPlan } from './plan.ts';
import { bytesOf, cells, maskedRow, row, textOf, texts } from './testing/rows.ts';
import type { ResultField } from './types.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

const hasher = () => (bytes: Uint8Array) =>
  new Uint8Array(32).map((_, i) => (bytes[i % Math.max(1, bytes.length)] ?? 0) + i);
const TEXT = 25;

function field(attribute: number, type: number = TEXT, format: 0 | 1 = 0): ResultField {
  return { table: 16400, attribute, type, format };
}

function mask(attribute: number, style: MaskObligation['style'] = 'redact'): MaskObligation {
  return { kind: 'mask', column: `c${attribute}`, table: 16400, attribute, label: 'pii', style };
}

function detect(reaction: DetectObligation['then'], more: Partial<DetectObligation> = {}): DetectObligation {
  const base = { kind: 'detect', detectors: ['card', 'ssn', 'email'] } as const;
  return Object.assign({ ...base, ...more }, { ['then' as const]: reaction });
}

/** The body as it would be sent, from inside a larger buffer that must not change behind it. */
function send(plan: ResultPlan, body: Uint8Array): Uint8Array {
  const around = new Uint8Array(body.length + 5);
  around.set([1, 2, 3]);
  around.set(body, 3);
  around.set([4, 5], 3 + body.length);
  const result = maskedRow(plan, around, 3, 3 + body.length);
  expect([...around.subarray(3 + body.length)]).toEqual([4, 5]);
  return result;
}

describe('a plan', () => {
  it('masks by table and attribute number alone', () => {
    const fields = [
      field(1),
      { ...field(2), table: 16401 },
      field(2),
      { ...field(2), table: 0, attribute: 0 },
      field(2),
    ];
    const plan = planResult(fields, [mask(2)], hasher);
    expect(texts(send(plan, row('a', 'b', 'c', 'd', 'e')))).toEqual(['a', 'b', '[redacted]', 'd', '[redacted]']);
  });

  it('is untouched when nothing is to be done', () => {
    expect(planResult([field(1)], [mask(2)], hasher).untouched).toBe(true);
    expect(planResult([field(1)], [{ kind: 'rows', most: 1 }], hasher).untouched).toBe(true);
    expect(planResult([field(1, 23)], [detect('mask')], hasher).untouched).toBe(true);
    expect(
      planResult([field(1)], [detect('mask', { except: [{ table: 16400, attribute: 1 }] })], hasher).untouched,
    ).toBe(true);
    expect(planResult([field(1)], [detect('mask', { detectors: [] })], hasher).untouched).toBe(true);
    expect(planResult([field(1)], [detect('mask')], hasher).untouched).toBe(false);
    expect(planResult([], [mask(2)], hasher).untouched).toBe(true);
  });

  it('takes the strictest of several masks of one column', () => {
    const plan = planResult([field(1)], [mask(1, 'email'), mask(1, 'null'), mask(1, 'partial')], hasher);
    expect(texts(send(plan, row('alice@example.com')))).toEqual([null]);
  });

  it('redacts what is computed from labelled columns by its position in its own statement', () => {
    const computed = (type: number): ResultField => ({ table: 0, attribute: 0, type, format: 0 });
    const redact: Obligation = { kind: 'redact', statement: 1, position: 1, column: 'c', label: 'pii' };
    const fields = [computed(TEXT), computed(23), computed(1700)];
    const sent = (statement?: number) =>
      texts(send(planResult(fields, [redact], hasher, statement), row('a', '42', '1.5')));
    expect(sent(1)).toEqual(['a', '0', '1.5']);
    expect(sent(0)).toEqual(['a', '42', '1.5']);
    expect(sent()).toEqual(['a', '42', '1.5']);
    expect(texts(send(planResult(fields, [redact], hasher, 1), row('a', null, '1.5')))).toEqual(['a', null, '1.5']);
  });

  it('redacts by position even where a milder mask applies', () => {
    const redact: Obligation = { kind: 'redact', statement: 0, position: 0, column: 'c', label: 'pii' };
    const plan = planResult([field(1)], [mask(1, 'email'), redact], hasher);
    expect(texts(send(plan, row('alice@example.com')))).toEqual(['[redacted]']);
  });

  it('leaves NULL as NULL, and a row of nothing but NULL where it is', () => {
    const plan = planResult([field(1), field(2)], [mask(1), mask(2, 'hash')], hasher);
    expect(texts(send(plan, row(null, 'x')))).toEqual([null, expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(texts(send(plan, row(null, null)))).toEqual([null, null]);
  });

  it('masks to NULL, to nothing and to more than there was', () => {
    const constant: MaskObligation = { ...mask(3, 'constant'), constant: '' };
    const plan = planResult([field(1), field(2), field(3)], [mask(1, 'null'), mask(2), constant], hasher);
    expect(texts(send(plan, row('a', '', 'long text here')))).toEqual([null, '[redacted]', '']);
  });

  it('hands out bodies that later rows leave alone', () => {
    const plan = planResult([field(1), field(2)], [mask(1, 'email')], hasher);
    const bodies = Array.from({ length: 3000 }, (_, i) => send(plan, row(`alice${i}@example.com`, `row ${i}`)));
    expect(bodies.map((body) => texts(body)[1])).toEqual(bodies.map((_, i) => `row ${i}`));
    const large = send(plan, row('alice@example.com', 'x'.repeat(200_000)));
    expect(texts(large)[1]).toHaveLength(200_000);
  });

  it('changes masked cells and nothing else, in any row', () => {
    const cell = fc.option(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 100, maxLength: 300 })));
    const obligations = [mask(2, 'partial'), mask(4), mask(5, 'email')];
    const plan = planResult(
      [1, 2, 3, 4, 5, 6].map((n) => field(n)),
      obligations,
      hasher,
    );
    fc.assert(
      fc.property(fc.array(cell, { minLength: 6, maxLength: 6 }), (values) => {
        const sent = texts(send(plan, row(...values)));
        for (const index of [0, 2, 5]) expect(sent[index]).toBe(values[index]);
        for (const [index, value] of values.entries()) expect(sent[index] === null).toBe(value === null);
        if (values[3] !== null) expect(sent[3]).toBe('[redacted]');
      }),
    );
  });

  it.each([
    ['a column less', row('a')],
    ['a column more', row('a', 'b', 'c')],
    ['nothing', new Uint8Array(0)],
    ['half a count', Uint8Array.of(0)],
    ['a length over the end', Uint8Array.of(0, 2, 0, 0, 0, 9, 65, 0, 0, 0, 0)],
    ['a length that is cut', Uint8Array.of(0, 2, 0, 0, 0, 1, 65, 0, 0)],
    ['a negative length', Uint8Array.of(0, 2, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0)],
    ['a huge length', Uint8Array.of(0, 2, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0)],
    ['bytes behind the row', Uint8Array.of(...row('a', 'b'), 0)],
  ])('refuses a row with %s', (_name, body) => {
    const plan = planResult([field(1), field(2)], [mask(1), detect('mask')], hasher);
    expect(() => maskedRow(plan, body, 0, body.length)).toThrow(expect.objectContaining({ code: 'TARGET_PROTOCOL' }));
  });

  it('does not scan what a lying length reaches for', () => {
    const plan = planResult([field(1)], [detect('mask')], hasher);
    const next = 'alice@example.com';
    const around = Uint8Array.of(0, 1, 0, 0, 0, 20, 65, ...bytesOf(next));
    expect(() => maskedRow(plan, around, 0, 7)).toThrow(Fault);
    expect(textOf(around.subarray(7))).toBe(next);
  });

  it('throws nothing but faults on any bytes, and never looks past the row', () => {
    const fields = [field(1), field(2, 1009, 1), field(3, 3802, 1), field(4, 23, 1)];
    const plan = planResult(fields, [mask(1, 'email'), mask(4, 'hash'), detect('mask')], hasher);
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.tuple(...fields.map(() => fc.option(fc.uint8Array({ maxLength: 30 })))).map((values) => row(...values)),
    );
    fc.assert(
      fc.property(body, fc.boolean(), (bytes, copy) => {
        const around = Uint8Array.of(...bytes, 0x31, 0x31, 0x40, 0x61, 0x2e, 0x63, 0x6f);
        try {
          if (copy) plan.scanText(around, 0, bytes.length);
          else maskedRow(plan, around, 0, bytes.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
        expect([...around.subarray(bytes.length)]).toEqual([0x31, 0x31, 0x40, 0x61, 0x2e, 0x63, 0x6f]);
      }),
      { numRuns: 2000 * EFFORT },
    );
  });
});

describe('scanning', () => {
  const CARD = 'pay 4111 1111 1111 1111 now';
  const COVERED = 'pay **** **** **** 1111 now';

  it('covers in place, counts, and tells when finds are refused', () => {
    const plan = planResult([field(1), field(2)], [detect('mask')], hasher);
    const body = row(CARD, '4111111111111111 078-05-1120');
    expect(texts(maskedRow(plan, body, 0, body.length))).toEqual([COVERED, '************1111 ***-**-****']);
    expect(Object.fromEntries(plan.hits)).toEqual({ card: 2, ssn: 1 });
    expect(plan.refused).toBe(false);
    const refusing = planResult([field(1)], [detect('deny')], hasher);
    expect(texts(send(refusing, row(CARD)))).toEqual([COVERED]);
    expect(refusing.refused).toBe(true);
  });

  it('only counts where it observes', () => {
    const plan = planResult([field(1)], [detect('observe')], hasher);
    expect(texts(send(plan, row(CARD)))).toEqual([CARD]);
    expect(plan.hits.get('card')).toBe(1);
  });

  it.each([
    ['text', 25, 0, true],
    ['varchar', 1043, 0, true],
    ['char', 1042, 0, true],
    ['xml', 142, 0, true],
    ['name', 19, 0, true],
    ['text in binary', 25, 1, true],
    ['text[]', 1009, 0, true],
    ['a user type', 20000, 0, true],
    ['an anonymous row', 2249, 0, true],
    ['a user type in binary', 20000, 1, false],
    ['int8', 20, 0, false],
    ['numeric', 1700, 0, false],
    ['timestamp', 1114, 0, false],
    ['int8[]', 1016, 0, false],
    ['uuid', 2950, 0, false],
    ['bytea', 17, 0, false],
  ] as const)('reads %s: %s', (_name, type, format, expected) => {
    const plan = planResult([field(1, type, format)], [detect('mask')], hasher);
    expect(textOf(send(plan, row('4111111111111111'))).includes('*')).toBe(expected);
  });

  it('passes over a masked column', () => {
    const plan = planResult([field(1)], [mask(1, 'email'), detect('deny')], hasher);
    expect(texts(send(plan, row('alice@example.com')))).toEqual(['a***@example.com']);
    expect(plan.refused).toBe(false);
  });

  it('reads binary arrays element by element, and leaves their structure alone', () => {
    const head = (element: number, count: number): number[] => [
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      element >> 8,
      element & 255,
      0,
      0,
      0,
      count,
      0,
      0,
      0,
      1,
    ];
    // The element is 0x31 (the digit 1) bytes long: a scanner that reads the array as one text would take it for a digit.
    const value = `${'x'.repeat(49 - 17)} 4111111111111111`;
    const array = Uint8Array.of(...head(25, 2), 0, 0, 0, 0x31, ...bytesOf(value), 0xff, 0xff, 0xff, 0xff);
    const [sent] = cells(send(planResult([field(1, 1009, 1)], [detect('mask')], hasher), row(array)));
    expect(textOf(sent!.subarray(24, 24 + 49))).toBe(value.replace('411111111111', '************'));
    expect([...sent!.subarray(0, 24)]).toEqual([...array.subarray(0, 24)]);
    const jsonb = Uint8Array.of(...head(3802, 1), 0, 0, 0, 20, 1, ...bytesOf('{"a":4111111111111111'.slice(0, 19)));
    expect(() => send(planResult([field(1, 3807, 1)], [detect('mask')], hasher), row(jsonb))).not.toThrow();
  });

  it('keeps the version byte of binary jsonb', () => {
    const value = Uint8Array.of(1, ...bytesOf('{"card": 4111111111111111}'));
    const [sent] = cells(send(planResult([field(1, 3802, 1)], [detect('mask')], hasher), row(value)));
    expect(sent![0]).toBe(1);
    expect(textOf(sent!.subarray(1))).toBe('{"card": 9999999999991111}');
  });

  it('scans lines and tuples of COPY', () => {
    const text = planResult([{ ...field(0), table: 0 }], [detect('mask')], hasher);
    const line = bytesOf('1\talice@example.com\t4111111111111111\n');
    expect(text.scanText(line, 0, line.length)).toBeUndefined();
    expect(textOf(line)).toBe('1\t*****@*******.***\t************1111\n');
    const binary = planResult([{ ...field(0, TEXT, 1), table: 0 }], [detect('mask')], hasher);
    const head = [...bytesOf('PGCOPY\n'), 0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const tuple = row('4111111111111111', null, '1'.repeat(0x34));
    const message = Uint8Array.of(...head, ...tuple);
    binary.scanText(message, 0, message.length);
    expect(texts(message.subarray(head.length))).toEqual(['************1111', null, '1'.repeat(0x34)]);
    const trailer = Uint8Array.of(0xff, 0xff);
    expect(() => binary.scanText(trailer, 0, 2)).not.toThrow();
  });

  it('refuses a detector nobody knows', () => {
    const unknown: Obligation = detect('mask', { detectors: ['order-key'] });
    expect(() => planResult([field(1)], [unknown], hasher)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
    const known = detect('mask', { detectors: ['order-key'], patterns: { 'order-key': 'ORD-[0-9]{8}' } });
    expect(texts(send(planResult([field(1)], [known], hasher), row('see ORD-12345678.')))).toEqual([
      'see ************.',
    ]);
  });
});
