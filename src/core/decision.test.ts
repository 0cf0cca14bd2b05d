import { describe, expect, it } from 'vitest';
import { combine, deny } from './decision.ts';

describe('a denial of several things', () => {
  const first = deny('no-permit', 'select is not permitted', { hint: 'permit select;' });
  const second = deny('labelled-column', 'filter is not permitted', { hint: 'permit filter;' });

  it('is the first, with all that is missing', () => {
    expect(combine([first, second, first])).toEqual({ ...first, hints: ['permit select;', 'permit filter;'] });
    expect(combine([combine([first, second]), deny('forbidden', 'by a guardrail')])).toMatchObject({
      reason: 'no-permit',
      hints: ['permit select;', 'permit filter;'],
    });
  });

  it('says no more than its hint where one thing is missing', () => {
    expect(combine([first, deny('forbidden', 'by a guardrail'), first])).toBe(first);
  });

  it('names a few only', () => {
    const many = Array.from({ length: 40 }, (_, n) => deny('no-permit', 'no', { hint: `permit ${n};` }));
    expect(combine(many)).toMatchObject({ hint: 'permit 0;', hints: { length: 10 } });
  });
});
