import { beforeEach, describe, expect, it } from 'vitest';
import { currentOf } from '../core/grant.ts';
import { introspect, introspectGrant } from './introspect.ts';
import { mayRevoke, revoke, revokePass } from './revoke.ts';
import { ORIGIN, type World, world } from './testing/world.ts';

const UNKNOWN = 'slp_00000000000000000000xx_00000000000000000000000000000000000000';
const scope = JSON.stringify([{ type: 'sallyport', target: 'shop', actions: ['select'] }]);

let w: World;
let passes: { root: string; job: string; helper: string };
beforeEach(async () => {
  w = await world();
  const root = await w.pass(await w.login());
  const job = await w.pass(await w.attested(root.pass, { authorization_details: scope }));
  const helper = await w.pass(w.asserted(job.pass, { uses: '2' }));
  passes = { root: root.pass, job: job.pass, helper: helper.pass };
});

const look = (pass: string): Promise<object> => introspect(pass, ORIGIN, { ...w.ports, issuer: 'https://gw.example' });
const idOf = (pass: string): string => pass.slice(4, 26);

describe('introspection', () => {
  it('tells the holder of a pass what it stands for', async () => {
    const now = w.clock.now() / 1000;
    expect(await look(passes.helper)).toEqual({
      active: true,
      iss: 'https://gw.example',
      sub: 'https://id.corp.example|u1',
      username: 'alice@corp.example',
      token_type: 'Bearer',
      jti: idOf(passes.helper),
      grant_id: idOf(passes.helper),
      parent_id: idOf(passes.job),
      txn: expect.any(String),
      iat: now,
      exp: now + 3600,
      connect_by: now + 120,
      delegable: false,
      max_depth: 0,
      chain: 'alice@corp.example > job-1 (attested) > helper (asserted)',
      summary:
        'may run SELECT at shop, until 13:00 UTC, sessions to be opened until 12:02 UTC, 2 statements, may not delegate',
      act: {
        sub: `${idOf(passes.job)}/helper`,
        sub_profile: 'tool',
        assurance: 'asserted',
        act: { sub: 'https://ci.example|job-1', sub_profile: 'ci', assurance: 'attested' },
      },
      uses_left: 2,
      authorization_details: [{ type: 'sallyport', target: 'shop', actions: ['select'] }],
    });
  });

  it('says nothing but no about what is wrong, unknown, revoked or over', async () => {
    const inactive = { active: false };
    const token = await w.alice();
    for (const text of [UNKNOWN, '', token, `${passes.helper.slice(0, -1)}!`])
      expect(await look(text)).toEqual(inactive);
    await revokePass(passes.job, ORIGIN, w.ports);
    expect(await look(passes.helper)).toEqual(inactive);
    w.clock.advance(3_600_000);
    expect(await look(passes.root)).toEqual(inactive);
  });

  it('still knows a pass that may open no more sessions', async () => {
    w.clock.advance(120_000);
    expect(await look(passes.helper)).toMatchObject({ active: true });
  });

  it('counts a person acting in person as no actor', async () => {
    expect(await look(passes.root)).not.toHaveProperty('act');
    const stored = await w.grants.load(idOf(passes.root));
    expect(stored && (await introspectGrant(stored, { ...w.ports, issuer: 'x' }))).toMatchObject({ parent_id: null });
  });

  it('is slowed down for guessing', async () => {
    for (let i = 0; i < 20; i++) await look(UNKNOWN);
    await expect(look(passes.root)).rejects.toMatchObject({ code: 'LOGIN_THROTTLED' });
  });
});

describe('revocation', () => {
  it('by the holder ends the pass and everything below it, and nothing above', async () => {
    await revokePass(passes.job, ORIGIN, w.ports);
    expect(await look(passes.root)).toMatchObject({ active: true });
    expect(await look(passes.job)).toEqual({ active: false });
    expect(await look(passes.helper)).toEqual({ active: false });
    expect(w.audit.last()).toMatchObject({
      type: 'grant.revoked',
      kind: 'grant',
      subject: idOf(passes.job),
      by: `pass ${idOf(passes.job)}`,
    });
  });

  it('of an unknown pass looks like any other, and changes nothing', async () => {
    await expect(revokePass(UNKNOWN, ORIGIN, w.ports)).resolves.toBeUndefined();
    expect(w.grants.struck).toEqual([]);
  });

  it('bites even when it cannot be recorded, and says so', async () => {
    w.audit.broken = true;
    const why = { by: 'admin', reason: 'stolen', origin: ORIGIN };
    await expect(revoke({ kind: 'principal', id: 'https://id.corp.example|u1' }, why, w.ports)).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
    });
    expect(await look(passes.helper)).toEqual({ active: false });
  });

  it('is the right of whoever stands above, not beside or below', async () => {
    const [root, job, helper] = await Promise.all(
      [passes.root, passes.job, passes.helper].map((pass) => w.grants.load(idOf(pass))),
    );
    const other = await w.pass(await w.attested(passes.root));
    const sibling = await w.grants.load(currentOf(other.chain).id);
    if (!root || !job || !helper || !sibling) throw new Error('a grant is gone');
    expect([job, helper, sibling].map((grant) => mayRevoke(root.chain, grant))).toEqual([true, true, true]);
    expect([root, job, helper, sibling].map((grant) => mayRevoke(job.chain, grant))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
