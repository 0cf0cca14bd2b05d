import { describe, expect, it } from 'vitest';
import { check, no, Untrue } from './check.ts';

describe('a check', () => {
  it('passes when every sign is there and none that must not be', () => {
    expect(() => check('masked', 'c***@mail.example', /\*{3}/, no(/customer1/))).not.toThrow();
  });

  it.each([
    ['a sign is missing', 'nothing', [/\*{3}/]],
    ['something shows that must not', 'c***@mail.example customer1', [/\*{3}/, no(/customer1/)]],
  ])('ends the story when %s, with what was seen', (_why, seen, signs) => {
    expect(() => check('masked', seen, ...signs)).toThrow(Untrue);
    expect(() => check('masked', seen, ...signs)).toThrow(expect.objectContaining({ seen }));
  });
});
