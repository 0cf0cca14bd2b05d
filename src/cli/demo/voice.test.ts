import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wrap } from './voice.ts';

describe('folding', () => {
  it('breaks at spaces, and words that are too long anywhere', () => {
    expect(wrap('a line of words', 9)).toEqual(['a line of', 'words']);
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('one two three', 8, '  ')).toEqual(['one two', '  three']);
  });

  it('loses nothing but spaces, and no line is longer than it may be', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), fc.integer({ min: 3, max: 20 }), (words, width) => {
        const text = words.join(' ').trimEnd();
        const lines = wrap(text, width, '  ');
        expect(lines.every((line) => line.length <= width)).toBe(true);
        expect(lines.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
      }),
    );
  });
});
