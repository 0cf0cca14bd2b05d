/** Pseudo-random numbers that come again with their seed (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Lengths and counts that readers get wrong: limits of signs and sizes. */
const EDGES = [
  0, 1, 3, 4, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
/** What is no UTF-8, what ends strings early, and what means something to somebody. */
const SPLICES = ['00', 'c080', 'eda080', 'f4908080', 'ff', '27', '22', '5c', '2d2d', '2f2a', '24242424', '0a', '2c'];

/** A few things wrong with bytes that were right; `others` lend pieces. */
export function mutated(bytes: Buffer, others: readonly Buffer[], random: (below: number) => number): Buffer {
  let now = Buffer.from(bytes);
  for (let left = 1 + random(4); left > 0; left--) {
    const at = random(now.length + 1);
    const length = Math.min(now.length - at, 1 + random(9));
    const before = now.subarray(0, at);
    const behind = now.subarray(at + length);
    switch (random(8)) {
      case 0: // bits
        if (at < now.length) now[at] = (now[at] ?? 0) ^ (1 << random(8));
        break;
      case 1: // a length that lies
        if (at + 4 <= now.length) now.writeUInt32BE(EDGES[random(EDGES.length)] ?? 0, at);
        break;
      case 2: // a count that lies
        if (at + 2 <= now.length) now.writeUInt16BE((EDGES[random(EDGES.length)] ?? 0) & 0xffff, at);
        break;
      case 3: // cut off
        now = Buffer.from(before);
        break;
      case 4: // taken out
        now = Buffer.concat([before, behind]);
        break;
      case 5: // again and again
        now = Buffer.concat([
          before,
          ...Array.from({ length: 1 + random(40) }, () => now.subarray(at, at + length)),
          behind,
        ]);
        break;
      case 6: // what is no text
        now = Buffer.concat([before, Buffer.from(SPLICES[random(SPLICES.length)] ?? '', 'hex'), now.subarray(at)]);
        break;
      default: {
        const other = others[random(others.length)] ?? bytes;
        now = Buffer.concat([before, other.subarray(random(other.length + 1))]);
      }
    }
    if (now.length > MOST) now = Buffer.from(now.subarray(0, MOST));
  }
  return now;
}

const MOST = 8_192;
