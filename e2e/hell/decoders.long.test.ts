import { describe, expect, it } from 'vitest';
import { DECODERS } from './decoders.ts';
import { fuzz } from './fuzz.ts';

/** Seconds for each decoder. */
const SECONDS = Number(process.env['SALLYPORT_FUZZ_SECONDS'] ?? 20);

describe('every decoder, for longer', () => {
  it.each(Object.keys(DECODERS))('%s throws nothing but faults', (name) => {
    const seed = Date.now() % 1_000_000_000;
    expect(fuzz(name, { seed, milliseconds: SECONDS * 1000 })).toBeGreaterThan(1_000);
  });
});
