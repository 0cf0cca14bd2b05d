import { expect, it } from 'vitest';
import { deny } from './decision.ts';
import { Durations, TargetMeasures } from './measures.ts';

it('counts a duration in the first bucket that holds it, and what is too long in the last', () => {
  const durations = new Durations([1, 10]);
  for (const each of [0.5, 1, 1.1, 10, 11, 5000]) durations.add(each);
  expect([...durations.counts]).toEqual([2, 2, 2]);
  expect(durations.sum).toBeCloseTo(5023.6);
});

it('counts decisions by effect, and denials by reason', () => {
  const measures = new TargetMeasures();
  measures.decided({ effect: 'permit', policies: [], obligations: [] });
  measures.decided(deny('forbidden', 'no'));
  measures.decided(deny('forbidden', 'no'));
  measures.decided(deny('caveat', 'no'));
  expect(measures).toMatchObject({ permitted: 1, held: 0 });
  expect([...measures.denied]).toEqual([
    ['forbidden', 2],
    ['caveat', 1],
  ]);
});
