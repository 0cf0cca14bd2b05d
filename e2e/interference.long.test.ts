import { afterAll, beforeAll, expect, it } from 'vitest';
import { withoutInterference } from './testing/interference.ts';
import { Twins } from './testing/twins/world.ts';

let twins: Twins;
beforeAll(async () => {
  twins = await Twins.start();
});
afterAll(() => twins?.stop());

it('no generated statement tells two databases apart that differ behind labels', async () => {
  const { cases, permitted } = await withoutInterference(twins, 20_000, 1_500_000);
  expect(permitted / cases).toBeGreaterThan(0.6);
});
