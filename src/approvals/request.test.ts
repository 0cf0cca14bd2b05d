import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer, ApprovalRequest, ApprovalRule, Verdict } from '../core/approval.ts';
import { answered, at, covers, type NewAnswer, redeemed, withdrawn } from './request.ts';
import { rulesFor, tally } from './rule.ts';
import { aRequest, aRule } from './testing/requests.ts';

const bob = { id: 'idp|bob', name: 'Bob', groups: ['dba'] };
const carl = { id: 'idp|carl', name: 'Carl', groups: ['dba', 'security'] };
const alice = { id: 'idp|alice', name: 'Alice', groups: ['dba'] };
const wanted = { digest: 'd1', alike: undefined, around: 'a1', session: 's1' };

function say(by: NewAnswer['by'], verdict: Verdict = 'approve', more: Partial<NewAnswer> = {}): NewAnswer {
  return { by, verdict, reason: '', scope: 'once', ...more };
}

const code = (act: () => unknown): unknown => {
  try {
    act();
    return 'done';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

describe('a request', () => {
  it('is approved by one of those asked, and used once, for the same', () => {
    const approved = answered(aRequest(), say(bob), 1_000);
    expect(approved).toMatchObject({ state: 'approved', expiresAt: 601_000, scope: 'once' });
    expect(redeemed(approved, { ...wanted, digest: 'd2' }, 2_000)).toBeUndefined();
    const used = redeemed(approved, wanted, 2_000);
    expect(used).toMatchObject({ state: 'used', uses: 1 });
    expect(redeemed(used ?? approved, wanted, 2_001)).toBeUndefined();
  });

  it('is denied by one of them, whoever approved before', () => {
    const rules = [aRule({ steps: [{ groups: ['dba'], people: [], manager: false, need: 2 }] })];
    const half = answered(aRequest({ rules }), say(carl), 1);
    expect(half.state).toBe('waiting');
    expect(answered(half, say(bob, 'deny', { reason: 'no' }), 2).state).toBe('denied');
  });

  it.each<[string, () => unknown, string]>([
    ['by its asker', () => answered(aRequest(), say(alice), 1), 'NOT_PERMITTED'],
    ['by an agent of the chain', () => answered(aRequest(), say({ ...bob, id: 'ci|job' }), 1), 'NOT_PERMITTED'],
    ['by a stranger', () => answered(aRequest(), say({ ...bob, groups: [] }), 1), 'NOT_PERMITTED'],
    ['after it expired', () => answered(aRequest(), say(bob), 600_000), 'CONFLICT'],
    ['once it is settled', () => answered(answered(aRequest(), say(bob), 1), say(carl), 2), 'CONFLICT'],
    ['once it is withdrawn', () => answered(withdrawn(aRequest(), 1), say(bob), 2), 'CONFLICT'],
    [
      'in a scope the rule does not allow',
      () => answered(aRequest(), say(bob, 'approve', { scope: 'session' }), 1),
      'NOT_PERMITTED',
    ],
    [
      'by breaking a glass that is not theirs',
      () => answered(aRequest(), say(bob, 'break-glass', { reason: 'x' }), 1),
      'NOT_PERMITTED',
    ],
    [
      'for all that is alike where it writes',
      () =>
        answered(
          aRequest({ rules: [aRule({ scopes: ['fingerprint'] })] }),
          say(bob, 'approve', { scope: 'fingerprint' }),
          1,
        ),
      'NOT_PERMITTED',
    ],
  ])('is not answered %s', (_name, act, expected) => {
    expect(code(act)).toBe(expected);
  });

  it('is answered once a person, also where two are needed', () => {
    const rules = [aRule({ steps: [{ groups: ['dba'], people: [], manager: false, need: 2 }] })];
    const half = answered(aRequest({ rules }), say(bob), 1);
    expect(code(() => answered(half, say(bob), 2))).toBe('CONFLICT');
    expect(answered(half, say(carl), 2).state).toBe('approved');
  });

  it('gives nobody two seats of one rule', () => {
    const steps = ['dba', 'security'].map(
      (group) => ({ groups: [group], people: [], manager: false, need: 1 }) as const,
    );
    const half = answered(aRequest({ rules: [aRule({ steps })] }), say(carl), 1);
    expect(half.state).toBe('waiting');
    // Carl moves over to the seat that only he can take.
    expect(answered(half, say(bob), 2).state).toBe('approved');
  });

  it('asks more people later, where the rule says so', () => {
    const rules = [aRule({ escalate: { after: 60, groups: ['security'] } })];
    const guard = { ...carl, groups: ['security'] };
    expect(rulesFor(aRequest({ rules }), guard, 59_999)).toEqual([]);
    expect(rulesFor(aRequest({ rules }), guard, 60_000)).toEqual(['dba-oncall']);
    expect(answered(aRequest({ rules }), say(guard), 60_000).state).toBe('approved');
  });

  it('is confirmed by the person an agent acts for, and by nobody for themselves', () => {
    const rules = [aRule({ steps: [], confirm: 'delegator' })];
    expect(answered(aRequest({ rules }), say(alice), 1).state).toBe('approved');
    expect(code(() => answered(aRequest({ rules }), say(bob), 1))).toBe('NOT_PERMITTED');
    const { asker } = aRequest();
    const inPerson = aRequest({ rules, asker: { ...asker, agents: [] } });
    expect(code(() => answered(inPerson, say(alice), 1))).toBe('NOT_PERMITTED');
  });

  it('lets those named break glass, with a reason, to be looked at later', () => {
    const rules = [aRule({ breakGlass: [alice.id] })];
    expect(code(() => answered(aRequest({ rules }), say(alice, 'break-glass'), 1))).toBe('NOT_PERMITTED');
    const broken = answered(aRequest({ rules }), say(alice, 'break-glass', { reason: 'fire' }), 1);
    expect(broken).toMatchObject({ state: 'approved', reviewDue: true });
  });

  it('is answered by the manager of the person it is done for, where the provider names one', () => {
    const rules = [aRule({ steps: [{ groups: [], people: [], manager: true, need: 1 }] })];
    const { asker } = aRequest();
    expect(code(() => answered(aRequest({ rules }), say(bob), 1))).toBe('NOT_PERMITTED');
    const managed = aRequest({ rules, asker: { ...asker, principal: { ...asker.principal, manager: bob.id } } });
    expect(code(() => answered(managed, say(carl), 1))).toBe('NOT_PERMITTED');
    expect(answered(managed, say(bob), 1).state).toBe('approved');
  });

  it('opens a window for all that the same policies hold for the same chain', () => {
    const rules = [aRule({ scopes: ['window'] })];
    const open = answered(aRequest({ rules }), say(bob, 'approve', { scope: 'window' }), 1);
    const other = { ...wanted, digest: 'd2', session: 's2' };
    expect(redeemed(open, other, 2)).toMatchObject({ state: 'approved', uses: 1 });
    expect(redeemed(open, { ...other, around: 'a2' }, 2)).toBeUndefined();
    expect(redeemed(open, other, open.expiresAt)).toBeUndefined();
  });

  it('lasts as long as the shortest of its rules says', () => {
    const rules = [aRule({ expires: 60 }), aRule({ name: 'long', expires: 6_000 })];
    expect(answered(aRequest({ rules }), say(bob), 1_000).expiresAt).toBe(61_000);
  });

  it('takes the narrowest scope that was given', () => {
    const steps = [{ groups: ['dba'], people: [], manager: false, need: 2 }];
    const rules = [aRule({ steps, scopes: ['session'] })];
    const half = answered(aRequest({ rules }), say(bob, 'approve', { scope: 'session' }), 1);
    expect(answered(half, say(carl), 2).scope).toBe('once');
    const wide = answered(half, say(carl, 'approve', { scope: 'session' }), 2);
    expect(covers(wide, wanted)).toBe(true);
    expect(covers(wide, { ...wanted, session: 's2' })).toBe(false);
    expect(redeemed(wide, wanted, 3)).toMatchObject({ state: 'approved', uses: 1 });
    expect(redeemed(wide, wanted, wide.expiresAt)).toBeUndefined();
  });
});

const PEOPLE = ['p1', 'p2', 'p3', 'p4'];
const GROUPS = ['a', 'b', 'c'];

it('seats people as trying out every way to seat them would', () => {
  const step = fc.oneof(
    fc.record({
      groups: fc.subarray(GROUPS, { minLength: 1 }),
      people: fc.subarray(PEOPLE),
      manager: fc.boolean(),
      need: fc.integer({ min: 1, max: 2 }),
    }),
    fc.record({
      groups: fc.subarray(GROUPS, { maxLength: 2 }),
      people: fc.subarray(PEOPLE, { minLength: 1, maxLength: 2 }),
      manager: fc.boolean(),
      need: fc.constant('all' as const),
    }),
  );
  const rule = fc.array(step, { minLength: 1, maxLength: 2 }).map((steps): ApprovalRule => aRule({ steps }));
  const person = fc.record({ id: fc.constantFrom(...PEOPLE), groups: fc.subarray(GROUPS) });
  const people = fc.uniqueArray(person, { selector: ({ id }) => id, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 2 }), people, (rules, present) => {
      const { asker } = aRequest();
      const principal = { ...asker.principal, manager: 'p4' };
      const request: ApprovalRequest = aRequest({ rules, asker: { ...asker, principal } });
      const answers = present.map(
        (by): Answer => ({ by: { ...by, name: by.id }, verdict: 'approve', reason: '', scope: 'once', at: 0 }),
      );
      const granted = rules.every(({ steps }) => {
        const seats = steps.flatMap(({ groups, people: listed, manager, need }) => {
          const named = [...listed, ...(manager ? ['p4'] : [])];
          return need === 'all'
            ? [
                ...named.map((id) => ({ groups: [] as string[], named: [id] })),
                ...groups.map((group) => ({ groups: [group], named: [] as string[] })),
              ]
            : Array.from({ length: need }, () => ({ groups: [...groups], named }));
        });
        const seat = (index: number, left: typeof present): boolean => {
          const one = seats[index];
          if (one === undefined) return true;
          return left.some(
            (who) =>
              (one.named.includes(who.id) || who.groups.some((group) => one.groups.includes(group))) &&
              seat(
                index + 1,
                left.filter((other) => other !== who),
              ),
          );
        };
        return seat(0, present);
      });
      expect(tally(request, answers)).toBe(granted ? 'approved' : 'waiting');
    }),
    { numRuns: 2_000 },
  );
});

it('is used at most once, and only after an approval, whatever comes in whichever order', () => {
  const act = fc.constantFrom(
    'bob approves',
    'carl approves',
    'carl denies',
    'alice approves',
    'withdraw',
    'redeem',
    'redeem other',
    'later',
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 12 }), (acts) => {
      let request = aRequest();
      let now = 1;
      let used = 0;
      let isApproved = false;
      const attempt = (change: () => ApprovalRequest | undefined): boolean => {
        try {
          const next = change();
          if (next !== undefined) request = next;
          return next !== undefined;
        } catch {
          return false;
        }
      };
      for (const each of acts) {
        now += each === 'later' ? 400_000 : 1;
        if (each === 'bob approves') isApproved = attempt(() => answered(request, say(bob), now)) || isApproved;
        if (each === 'carl approves') isApproved = attempt(() => answered(request, say(carl), now)) || isApproved;
        if (each === 'carl denies') attempt(() => answered(request, say(carl, 'deny'), now));
        if (each === 'alice approves') expect(attempt(() => answered(request, say(alice), now))).toBe(false);
        if (each === 'withdraw') attempt(() => withdrawn(request, now));
        if (each === 'redeem other') expect(redeemed(request, { ...wanted, digest: 'other' }, now)).toBeUndefined();
        if (each === 'redeem' && attempt(() => redeemed(request, wanted, now))) {
          used += 1;
          expect(isApproved).toBe(true);
        }
        expect(at(request, now).uses).toBe(used);
      }
      expect(used).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2_000 },
  );
});
