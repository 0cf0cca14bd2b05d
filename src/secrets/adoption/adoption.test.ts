import { describe, expect, it } from 'vitest';
import { passwordOf } from './password.ts';
import { Died, FakeWorld, ROLE } from './testing/fakes.ts';
import { verifierText } from './verifier.ts';

/** What the gateway logs in with, as sessions do. */
async function way(world: FakeWorld): Promise<string | undefined> {
  const found = await passwordOf(ROLE, world.records, {
    configured: async () => world.configured,
    works: async (password) => (await world.logIn(password)) !== undefined,
    now: () => world.now,
    sleep: async () => undefined,
  });
  return found.password;
}

const kept = async (world: FakeWorld) => (await world.records.get(ROLE))?.record;

describe('an adoption', () => {
  it('leaves one password that logs in, sealed, and keeps the old one', async () => {
    const world = new FakeWorld();
    await expect(world.adoption.adopt('dave')).resolves.toEqual({ oldStillWorks: false });
    expect(world.password).toBe('made 1');
    expect(await way(world)).toBe('made 1');
    expect(await kept(world)).toMatchObject({
      password: 'made 1',
      from: 'sealed',
      old: { password: 'shared', from: 'env:P' },
      by: 'dave',
    });
    for (const sealed of world.sealed.values())
      expect(Buffer.from(sealed).toString('latin1')).not.toMatch(/made|shared/);
  });

  it('can be done again, from what is sealed', async () => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    await world.adoption.adopt('dave');
    expect(await way(world)).toBe('made 2');
    expect((await kept(world))?.old).toEqual({ password: 'made 1', from: 'sealed' });
  });

  it('starts from the configuration where somebody changed the password by hand', async () => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    world.password = 'by hand';
    world.configured = 'by hand';
    await world.adoption.adopt('dave');
    expect(await way(world)).toBe('made 2');
    expect((await kept(world))?.old).toEqual({ password: 'by hand', from: 'env:P' });
  });

  it('says where the server lets the old password in still', async () => {
    const world = new FakeWorld();
    world.checks = false;
    await expect(world.adoption.adopt('dave')).resolves.toEqual({ oldStillWorks: true });
  });

  it.each([
    ['the server forbids it', { refuses: '42501 permission denied' }, /42501 permission denied/],
    ['the new password is refused', { ignores: true }, /the one before is back/],
  ])('changes nothing where %s', async (_name, how, message) => {
    const world = Object.assign(new FakeWorld(), how);
    await expect(world.adoption.adopt('dave')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(message),
    });
    expect(world.password).toBe('shared');
    expect(await way(world)).toBe('shared');
    expect(world.sealed.size).toBe(0);
  });

  it.each([
    ['there is no password', undefined, 'CONFIG_INVALID'],
    ['no password is right', 'wrong', 'CONFLICT'],
  ])('does not begin where %s', async (_name, configured, code) => {
    const world = Object.assign(new FakeWorld(), { configured });
    await expect(world.adoption.adopt('dave')).rejects.toMatchObject({ code });
    expect(world.step).toBe(0);
  });

  it('lets one of two through', async () => {
    const world = new FakeWorld();
    const both = await Promise.allSettled([world.adoption.adopt('dave'), world.adoption.adopt('erin')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'CONFLICT' } });
    expect(await way(world)).toBe(world.password);
  });

  it('does not touch an attempt that may be alive', async () => {
    const world = new FakeWorld();
    world.dieAt = { step: 1, when: 'after' };
    await expect(world.adoption.adopt('dave')).rejects.toThrow(Died);
    world.revive();
    world.now -= 100_000;
    for (const act of ['adopt', 'undo', 'forget'] as const)
      await expect(world.adoption[act]('erin')).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

/** Every step of an adoption (seal, change, seal), and both sides of each. */
const POINTS = [1, 2, 3].flatMap((step) => (['before', 'after'] as const).map((when) => ({ step, when })));

describe('a gateway that dies in the middle', () => {
  it.each(POINTS)('of adopting ($when step $step) has a way in, and can adopt', async (dieAt) => {
    const world = new FakeWorld();
    world.dieAt = dieAt;
    await expect(world.adoption.adopt('dave')).rejects.toThrow(Died);
    world.revive();
    expect(await way(world)).toBe(world.password);
    await world.adoption.adopt('dave');
    expect(await way(world)).toBe(world.password);
    expect(world.password).not.toBe('shared');
    // Whatever was half-way: back is where it began, unless it had been through.
    const through = dieAt.step === 3 && dieAt.when === 'after';
    expect((await kept(world))?.old?.password).toBe(through ? 'made 1' : 'shared');
  });

  it.each(POINTS)('of adopting once more ($when step $step) can go back to what was before', async (dieAt) => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    Object.assign(world, { step: 0, dieAt });
    await expect(world.adoption.adopt('dave')).rejects.toThrow(Died);
    world.revive();
    expect(await way(world)).toBe(world.password);
    await world.adoption.undo('dave');
    expect(await way(world)).toBe(world.password);
    const went = dieAt.step === 3 || (dieAt.step === 2 && dieAt.when === 'after');
    expect(world.password).toBe(went ? 'made 1' : 'shared');
  });

  it.each(POINTS)('of going back ($when step $step) has a way in, and can go back', async (dieAt) => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    Object.assign(world, { step: 0, dieAt });
    await expect(world.adoption.undo('dave')).rejects.toThrow(Died);
    world.revive();
    expect(await way(world)).toBe(world.password);
    const gone = world.sealed.size === 0;
    if (!gone) await expect(world.adoption.undo('dave')).resolves.toBe('restored');
    expect(world.password).toBe('shared');
    expect(await way(world)).toBe('shared');
    expect(world.sealed.size).toBe(0);
  });

  it('before anything was adopted leaves nothing that takes the place of the configuration', async () => {
    const world = new FakeWorld();
    world.dieAt = { step: 1, when: 'after' };
    await expect(world.adoption.adopt('dave')).rejects.toThrow(Died);
    world.revive();
    await expect(world.adoption.undo('dave')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(world.sealed.size).toBe(0);
  });

  it('or only sleeps does not change what others have found it dead about', async () => {
    const world = new FakeWorld();
    world.drainsFor = 45_000;
    await expect(world.adoption.adopt('dave')).rejects.toMatchObject({ code: 'ABORTED' });
    expect(world.password).toBe('shared');
    expect(await way(world)).toBe('shared');
  });

  it('is made true where a server checks no passwords', async () => {
    const world = new FakeWorld();
    world.checks = false;
    world.dieAt = { step: 2, when: 'before' };
    await expect(world.adoption.adopt('dave')).rejects.toThrow(Died);
    world.revive();
    await world.adoption.adopt('dave');
    world.checks = true;
    expect(await way(world)).toBe(world.password);
  });
});

describe('the way back', () => {
  it('restores the old password and what the configuration says', async () => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    await expect(world.adoption.undo('dave')).resolves.toBe('restored');
    expect(world.password).toBe('shared');
    expect(world.sealed.size).toBe(0);
    await expect(world.adoption.undo('dave')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([[undefined], ['another']])(
    'keeps the old one sealed where the configuration says %s',
    async (configured) => {
      const world = new FakeWorld();
      await world.adoption.adopt('dave');
      world.configured = configured;
      await expect(world.adoption.undo('dave')).resolves.toBe('kept');
      expect(world.password).toBe('shared');
      expect(await way(world)).toBe('shared');
      expect(await kept(world)).toMatchObject({ password: 'shared', from: 'env:P' });
    },
  );

  it('only forgets where somebody changed the password to what the configuration says', async () => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    Object.assign(world, { password: 'by hand', configured: 'by hand' });
    await expect(world.adoption.undo('dave')).resolves.toBe('stale');
    expect(world.password).toBe('by hand');
    expect(await way(world)).toBe('by hand');
  });

  it('is gone once it is forgotten', async () => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    await expect(world.adoption.forget('dave')).resolves.toBe(true);
    await expect(world.adoption.forget('dave')).resolves.toBe(false);
    await expect(world.adoption.undo('dave')).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await way(world)).toBe('made 1');
  });
});

describe('a session that logs in', () => {
  it('waits for a change under way', async () => {
    const world = new FakeWorld();
    world.dieAt = { step: 1, when: 'after' };
    await expect(world.adoption.adopt('dave')).rejects.toThrow(Died);
    world.revive();
    world.now -= 120_000;
    const asked: number[] = [];
    world.logins.length = 0;
    await passwordOf(ROLE, world.records, {
      configured: async () => undefined,
      works: async (password) => (await world.logIn(password)) !== undefined,
      now: () => world.now,
      sleep: async (milliseconds) => void asked.push(milliseconds),
    });
    expect(asked.length).toBeGreaterThan(10);
    expect(world.logins).toEqual(['made 1']);
  });

  it('does not ask the configuration for what was adopted', async () => {
    const world = new FakeWorld();
    await world.adoption.adopt('dave');
    const ports = { works: async () => false, now: () => world.now, sleep: async () => undefined };
    const configured = async (): Promise<never> => {
      throw new Error('asked');
    };
    await expect(passwordOf(ROLE, world.records, { ...ports, configured })).resolves.toEqual({
      password: 'made 1',
      adopted: true,
    });
    await expect(
      passwordOf({ ...ROLE, user: 'another' }, world.records, { ...ports, configured: async () => 'own' }),
    ).resolves.toEqual({ password: 'own', adopted: false });
  });
});

it('spells a verifier as PostgreSQL stores it', () => {
  const bytes = (byte: number, length: number) => new Uint8Array(length).fill(byte);
  const keys = { salt: bytes(1, 16), iterations: 4096, storedKey: bytes(2, 32), serverKey: bytes(3, 32) };
  expect(verifierText(keys)).toBe(
    'SCRAM-SHA-256$4096:AQEBAQEBAQEBAQEBAQEBAQ==$AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=',
  );
});
