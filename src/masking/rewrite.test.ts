import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rewrite } from './rewrite.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

interface Step {
  readonly kind: 'pass' | 'skip' | 'put' | 'reserve' | 'patch' | 'cut';
  readonly length: number;
  readonly more: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('pass', 'pass', 'skip', 'put', 'reserve', 'patch', 'cut'),
  length: fc.oneof({ weight: 9, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(400) }),
  more: fc.nat(30),
});

/** The bytes that arrive, and the same steps done the slow way. */
function arrive(ahead: number, length: number): Uint8Array {
  return Uint8Array.from({ length: ahead + length }, (_, i) => (i < ahead ? 0xee : (i * 7) & 0x7f));
}

describe('a rewrite', () => {
  it('gives what the steps say, whatever the room, and leaves unread bytes alone', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.array(step, { maxLength: 40 }), (ahead, steps) => {
        const memory = arrive(ahead, 4_000);
        const original = memory.slice();
        const rewrite = new Rewrite();
        rewrite.begin(memory);
        let wanted: number[] = [];
        let read = ahead;
        for (const { kind, length, more } of steps) {
          const end = Math.min(read + length, memory.length);
          const made = Uint8Array.from({ length: more }, (_, i) => 0x80 + i);
          switch (kind) {
            case 'pass':
              rewrite.pass(read, end);
              wanted.push(...original.subarray(read, end));
              read = end;
              break;
            case 'skip':
              read = end;
              break;
            case 'put':
              rewrite.put(made, read);
              wanted.push(...made);
              break;
            case 'reserve':
              rewrite.reserve(made.length, read);
              rewrite.out.set(made, rewrite.to);
              rewrite.to += made.length;
              wanted.push(...made);
              break;
            case 'patch': {
              // In one piece, as a header is: the four bytes passed last.
              if (read + 4 > memory.length) break;
              rewrite.pass(read, read + 4);
              read += 4;
              rewrite.putInt32(wanted.length, 0x01020304 + more);
              wanted.push(1, 2, 3, 4 + more);
              break;
            }
            case 'cut':
              wanted = wanted.slice(0, Math.max(0, wanted.length - length));
              rewrite.cut(wanted.length);
              break;
          }
          expect(rewrite.length).toBe(wanted.length);
          const from = Math.max(0, wanted.length - more);
          expect([...rewrite.view(from, wanted.length)]).toEqual(wanted.slice(from));
          expect(memory.subarray(read)).toEqual(original.subarray(read));
        }
        expect([...rewrite.view(0, wanted.length)]).toEqual(wanted);
        expect([...(rewrite.end() ?? [])]).toEqual(wanted);
      }),
      { numRuns: 500 * EFFORT },
    );
  });

  it('hands on what nobody changed from where it lies', () => {
    const memory = arrive(100, 1_000);
    const rewrite = new Rewrite();
    rewrite.begin(memory);
    for (let at = 100; at < 1_100; at += 100) rewrite.pass(at, at + 100);
    const told = rewrite.end();
    expect(told?.byteOffset).toBe(100);
    expect(told?.buffer).toBe(memory.buffer);
    rewrite.begin(memory);
    expect(rewrite.end()).toBeUndefined();
  });
});
