import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../core/fault.ts';
import { chunks, concat, hex } from '../testing/bytes.ts';
import { ByteWriter } from './byte-writer.ts';
import { Framer } from './framer.ts';
import { frontendLimit } from './types.ts';

const LIMIT = 64;
const QUERY = 0x51;

interface Seen {
  readonly type: number;
  readonly body: number[];
  readonly large: boolean;
}

/** Feeds chunks and collects messages, the large ones put together from their pieces. */
function collect(parts: readonly Uint8Array[], limit = LIMIT): Seen[] {
  const framer = new Framer(() => limit);
  const seen: Seen[] = [];
  for (const part of parts) {
    framer.push(part);
    for (let found = framer.next(); found !== 'none'; found = framer.next()) {
      const view = [...framer.bytes.subarray(framer.start, framer.end)];
      if (found === 'frame') seen.push({ type: framer.type, body: view.slice(5), large: false });
      else if (found === 'large') seen.push({ type: framer.type, body: [], large: true });
      else seen.at(-1)?.body.push(...view);
    }
  }
  return seen;
}

function message(body: Uint8Array): Uint8Array {
  return new ByteWriter().message(QUERY, (writer) => writer.bytes(body)).take();
}

describe('a framer', () => {
  it('yields the same messages however the stream is cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 });
    const sizes = fc.array(fc.nat(90), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(bodies, sizes, (given, cuts) => {
        const seen = collect(chunks(concat(given.map(message)), cuts));
        expect(seen.map((one) => one.body)).toEqual(given.map((body) => [...body]));
        expect(seen.map((one) => one.large)).toEqual(given.map((body) => body.length > LIMIT));
      }),
    );
  });

  it('keeps what it handed out unchanged while more arrives', () => {
    const framer = new Framer(() => LIMIT);
    const held: Uint8Array[] = [];
    const bodies = Array.from({ length: 50 }, (_, i) => new Uint8Array(40).fill(i));
    for (const part of chunks(concat(bodies.map(message)), [7, 45, 90])) {
      framer.push(part);
      for (let found = framer.next(); found !== 'none'; found = framer.next()) {
        held.push(framer.bytes.subarray(framer.start + 5, framer.end));
      }
    }
    expect(held.map((body) => body[0])).toEqual(bodies.map((_, i) => i));
  });

  it.each([
    ['a length below its own size', '51 00 00 00 03', 'PROTOCOL_MALFORMED'],
    ['a length over a gigabyte', '51 40 00 00 00', 'PROTOCOL_LIMIT'],
    ['a length with its sign bit set', '51 ff ff ff ff', 'PROTOCOL_LIMIT'],
    ['a type nobody knows', '7a 00 00 00 04', 'PROTOCOL_UNEXPECTED'],
  ])('refuses %s before waiting for the body', (_name, bytes, code) => {
    const framer = new Framer(frontendLimit);
    framer.push(hex(bytes));
    expect(() => framer.next()).toThrow(expect.objectContaining({ code }));
  });

  it('keeps no more than twice what was sent, whatever a header promises', () => {
    const framer = new Framer(() => 1 << 28);
    framer.push(hex('51 0f ff ff ff'));
    expect(framer.next()).toBe('none');
    framer.push(new Uint8Array(100));
    expect(framer.next()).toBe('none');
    expect(framer.bytes.length).toBeLessThanOrEqual(2 * 105);
  });

  it('throws nothing but faults on random bytes, and never hangs', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (parts) => {
        try {
          const framer = new Framer(frontendLimit);
          for (const part of parts) {
            framer.push(part);
            while (framer.next() !== 'none');
          }
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
    );
  });
});
