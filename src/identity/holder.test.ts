import { beforeAll, describe, expect, it } from 'vitest';
import { currentOf, type Grant } from '../core/grant.ts';
import { grantOfPass, standingOf } from './holder.ts';
import { MemoryGrants } from './testing/fakes.ts';
import { type World, world } from './testing/world.ts';

describe('the standing of a grant', () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
  });

  it.each<[string, Partial<Grant>, Partial<Grant>, string]>([
    ['good while every clock runs', {}, {}, 'good'],
    ['expired with its own clock', {}, { expires: 0 }, 'expired'],
    ['expired with its parent, whatever its own row says', { expires: 0 }, {}, 'expired'],
    ['closed with its own clock', {}, { connectBy: 0 }, 'closed'],
    ['closed with its parent', { connectBy: 0 }, {}, 'closed'],
    ['expired rather than closed', { connectBy: 0 }, { expires: 0 }, 'expired'],
  ])('is %s', async (_name, root, child, standing) => {
    const parent = await w.pass(await w.login());
    const [first, second] = (await w.pass(w.asserted(parent.pass))).chain.grants;
    if (!second) throw new Error('no child');
    const chain = {
      grants: [
        { ...first, ...root },
        { ...second, ...child },
      ] as const,
    };
    expect(standingOf({ chain, revoked: undefined }, w.clock.now())).toBe(standing);
    const revoked = { subject: { kind: 'grant', id: first.id }, by: 'x', reason: 'x', at: 0 } as const;
    expect(standingOf({ chain, revoked }, w.clock.now())).toBe('revoked');
  });

  it('ends at the very millisecond', async () => {
    const { chain } = await w.pass(await w.login({ connect_within: '60' }));
    const { connectBy, expires } = currentOf(chain);
    const at = (now: number): string => standingOf({ chain, revoked: undefined }, now);
    expect([connectBy - 1, connectBy, expires - 1, expires].map(at)).toEqual(['good', 'closed', 'closed', 'expired']);
  });

  it('is that of the grant whose pass it is, and of no other a store may give', async () => {
    const [one, other] = [await w.pass(await w.login()), await w.pass(await w.login())];
    const mixed = new MemoryGrants(w.clock);
    mixed.verifier = (id) => w.grants.verifier(id);
    mixed.load = () => w.grants.load(currentOf(other.chain).id);
    expect(await grantOfPass(one.pass, mixed)).toBe('unknown or wrong');
    expect(await grantOfPass(one.pass, w.grants)).toHaveProperty('chain');
  });
});
