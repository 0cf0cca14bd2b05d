import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withInterference, withoutInterference } from './testing/interference.ts';
import { Twins } from './testing/twins/world.ts';

// Whatever a statement does, what labels cover does not show in its answer. Tens of thousands: interference.long.test.ts.

let twins: Twins;
beforeAll(async () => {
  twins = await Twins.start();
});
afterAll(() => twins?.stop());

describe('generated statements', () => {
  it('tell two databases apart where no gateway is in the way', async () => {
    const { cases, told } = await withInterference(twins, 500);
    expect(told / cases).toBeGreaterThan(0.2);
  });

  it('do not through it, and most are answered', { timeout: 90_000 }, async () => {
    const { cases, permitted } = await withoutInterference(twins, 300, 30_000);
    expect(permitted / cases).toBeGreaterThan(0.6);
  });
});

it('a plan of a prepared statement with masked columns is told, and the session goes on', async () => {
  const session = await twins.through('a');
  await session.ask('prepare p as select email from people');
  const told = await session.ask('explain execute p');
  const alive = await session.ask('select 1 as alive');
  session.close();
  expect(told.join('\n')).toMatch(/^C EXPLAIN/m);
  expect(told.join('\n')).not.toContain('width');
  expect(alive.join('\n')).toMatch(/^C SELECT 1/m);
});
