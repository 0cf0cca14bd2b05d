import { describe, expect, it } from 'vitest';
import { median, paired, percentile, spread } from './stats.ts';

describe('statistics of rounds', () => {
  it.each([
    ['an odd number of values', [3, 1, 2], 2],
    ['an even number', [4, 1, 2, 3], 2.5],
    ['a single one', [7], 7],
    ['none', [], Number.NaN],
    ['numbers as numbers, not as text', [10, 9, 100], 10],
  ])('gives the median of %s', (_name, values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('interpolates percentiles', () => {
    expect(percentile([0, 10], 0.25)).toBe(2.5);
    expect(percentile([5, 1, 9], 1)).toBe(9);
  });

  it('gives the spread as a share of the median', () => {
    expect(spread([90, 100, 120])).toBeCloseTo(0.3);
  });

  it('compares each round with its neighbour and ignores those that have none', () => {
    expect(paired([10, 20, 30], [5, 4], (a, b) => a / b)).toEqual([2, 5]);
  });
});
