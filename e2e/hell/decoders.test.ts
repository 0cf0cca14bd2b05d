import { describe, expect, it } from 'vitest';
import { corpora, corpusOf } from './corpus.ts';
import { DECODERS } from './decoders.ts';
import { fuzz } from './fuzz.ts';

describe('every decoder', () => {
  it('has a corpus, and every corpus a decoder', () => {
    expect(corpora()).toEqual(Object.keys(DECODERS).sort());
  });

  it.each(Object.keys(DECODERS))('%s reads one of its corpus', (name) => {
    const read = corpusOf(name).filter((input) => {
      try {
        return DECODERS[name]?.(Buffer.from(input), [input.length]) !== undefined;
      } catch {
        return false;
      }
    });
    expect(read.length).toBeGreaterThan(0);
  });

  it.each(Object.keys(DECODERS))('%s throws nothing but faults, in time, however the bytes come', (name) => {
    const seed = Date.now() % 1_000_000;
    expect(fuzz(name, { seed, milliseconds: 150 })).toBeGreaterThan(20);
  });
});
