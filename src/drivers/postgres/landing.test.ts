import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Landing } from './landing.ts';

/** Messages of one length byte and as many times 64 bytes, cut from whatever landed. */
function messages(landing: Landing): { readonly found: number[][]; readonly used: number } {
  const found: number[][] = [];
  let at = landing.start;
  for (;;) {
    const length = 1 + 64 * (landing.bytes[at] ?? 0);
    if (at >= landing.end || at + length > landing.end) return { found, used: at };
    found.push([...landing.bytes.subarray(at, at + length)]);
    at += length;
  }
}

describe('a landing', () => {
  it('gives every message whole, whatever is read at once, and writes nothing that is lent', () => {
    const sizes = fc.array(fc.oneof(fc.nat(4), fc.nat(255)), { minLength: 1, maxLength: 100 });
    const read = fc.record({ most: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.nat(300_000)), lend: fc.boolean() });
    // A large one each round, or a stream read byte by byte would take its square.
    const reads = fc.array(read, { maxLength: 12 }).map((some) => [...some, { most: 60_000, lend: false }]);
    fc.assert(
      fc.property(sizes, reads, (lengths, pattern) => {
        const stream = lengths.flatMap((length, n) => [length, ...Array<number>(64 * length).fill(n & 0x7f)]);
        const landing = new Landing();
        const all: number[][] = [];
        let lent: { readonly view: Uint8Array; readonly was: Uint8Array }[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const { most, lend } = pattern[n % pattern.length] ?? { most: 1, lend: false };
          const room = landing.room();
          expect(room.length).toBeGreaterThan(0);
          if (!lend) {
            for (const { view, was } of lent) expect(view).toEqual(was);
            lent = [];
            landing.returned();
          }
          const count = Math.min(room.length, Math.max(1, most), stream.length - at);
          room.set(stream.slice(at, at + count));
          at += count;
          const { bytes } = landing;
          landing.landed(count);
          const { found, used } = messages(landing);
          all.push(...found);
          if (lend) lent.push({ view: bytes.subarray(0, used), was: bytes.slice(0, used) });
          landing.used(used, lend);
        }
        for (const { view, was } of lent) expect(view).toEqual(was);
        expect(all.flat()).toEqual(stream);
      }),
      { numRuns: 60 },
    );
  });

  it('is small when nothing comes, large while much does, and small again', () => {
    const landing = new Landing();
    const read = (count: number) => {
      landing.landed(count);
      landing.used(landing.end, false);
    };
    expect(landing.bytes.length).toBe(4_096);
    read(landing.room().length);
    expect(landing.bytes.length).toBe(262_144);
    read(8_192);
    expect(landing.bytes.length).toBe(262_144);
    read(100);
    expect(landing.bytes.length).toBe(4_096);
  });

  it('grows by what came, never by what was promised, and in time with it', () => {
    const landing = new Landing();
    let moved = 0;
    for (let kept = 0; kept < 20 << 20; ) {
      const { bytes } = landing;
      const count = Math.min(65_536, landing.room().length);
      landing.landed(count);
      kept += count;
      landing.used(landing.start, false);
      if (landing.bytes !== bytes) moved += kept;
      expect(landing.bytes.length).toBeLessThan(4 * kept + 400_000);
    }
    expect(moved).toBeLessThan(4 * (20 << 20));
  });
});
