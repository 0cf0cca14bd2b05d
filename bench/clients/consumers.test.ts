import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, CARD, MASKED_ADDRESS } from '../stock.ts';
import type { Target } from '../targets/target.ts';
import { Counter } from './count.ts';
import { PeopleChecker } from './people.ts';

const READY = message('Z', Buffer.from('I'));
const ERROR = message('E', Buffer.from('SERROR\0C42501\0Mnot for you\0\0'));

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function row(...cells: readonly string[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(cells.length);
  const parts = cells.map((cell) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(cell.length);
    return Buffer.concat([length, Buffer.from(cell)]);
  });
  return message('D', Buffer.concat([count, ...parts]));
}

function person(i: number, shown: { email?: string; name?: string; note?: string } = {}): Buffer {
  const { email = addressOf(i), name = `Person ${i}`, note = 'likes tea' } = shown;
  return row(String(i), name, email, 'Oslo', '1970-01-01', note);
}

function target(labels: boolean, finds: boolean): Target {
  const rest = { tls: false, host: '', port: 0, user: '', password: '', database: '', pid: undefined };
  return { ...rest, name: 'this', kind: 'direct', hides: { labels, finds } };
}

function feed(consumer: { take(chunk: Uint8Array): boolean }, bytes: Buffer, cuts: readonly number[] = []): boolean {
  let done = false;
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    const end = Math.min(bytes.length, at + cut);
    if (end > at) done = consumer.take(bytes.subarray(at, end)) || done;
    at = end;
  }
  return done;
}

describe('the counter', () => {
  it('counts the same rows however the stream is cut', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.array(fc.integer({ min: 1, max: 60 })), (rows, cuts) => {
        const bytes = Buffer.concat([...Array.from({ length: rows }, (_, i) => person(i)), READY]);
        const counter = new Counter();
        expect(feed(counter, bytes, cuts)).toBe(true);
        expect([counter.rows, counter.bytes]).toEqual([rows, bytes.length]);
      }),
    );
  });

  it('says what the server said, once the answer is complete', () => {
    const counter = new Counter();
    expect(feed(counter, ERROR)).toBe(false);
    expect(() => feed(counter, READY)).toThrow('42501 not for you');
  });
});

describe('the check of people', () => {
  const digest = (rows: readonly Buffer[], labels = false) => {
    const checker = new PeopleChecker(target(labels, false));
    feed(checker, Buffer.concat([...rows, READY]));
    return checker.digest;
  };

  it('takes a masked column as equal, and nothing else', () => {
    const plain = digest([person(1), person(2)]);
    const masked = [1, 2].map((i) => person(i, { email: MASKED_ADDRESS }));
    expect(digest(masked, true)).toBe(plain);
    expect(digest([person(1), person(2, { name: 'Persom 2' })])).not.toBe(plain);
    expect(digest([person(1), person(2, { note: 'likes teas' })])).not.toBe(plain);
  });

  it.each([
    ['an address that should be masked', true, addressOf(1)],
    ['a mask on a connection that masks nothing', false, MASKED_ADDRESS],
    ['the address of somebody else', false, addressOf(2)],
  ])('refuses %s', (_name, labels, email) => {
    expect(() => digest([person(1, { email })], labels)).toThrow('shows e-mail');
  });

  it.each([
    ['a card number where detectors are on', true, `paid with ${CARD} in March`],
    ['a card number that is gone where they are off', false, 'paid with ******************* in March'],
    ['a note that was lost with it', true, ''],
  ])('refuses %s', (_name, finds, note) => {
    const checker = new PeopleChecker(target(false, finds));
    const rows = Array.from({ length: 1000 }, (_, i) => person(i + 1, i === 999 ? { note } : {}));
    expect(() => feed(checker, Buffer.concat([...rows, READY]))).toThrow('shows note');
  });
});
