import { stripVTControlCharacters as plain } from 'node:util';
import { describe, expect, it } from 'vitest';
import { doneText, planText } from './adoption.ts';

const PLAN = {
  target: 'shop',
  address: 'db.example:5432',
  user: 'shop_app',
  from: 'env:SHOP_PASSWORD',
  configured: 'env:SHOP_PASSWORD',
  adopted: null,
  shared: [],
  alike: [],
  others: { pooled: false, groups: [] },
};

describe('the plan of an adoption', () => {
  it.each([
    ['what is in use', PLAN, 'logs in with the password in env:SHOP_PASSWORD'],
    ['that there is none', { ...PLAN, from: null }, 'there is nothing to take over'],
    [
      'what was adopted before',
      { ...PLAN, from: 'sealed', adopted: { at: '2026-10-01T12:00:00.000Z', by: 'dave', undo: true, pending: false } },
      'sealed in the store (since 2026-10-01T12:00:00.000Z, by dave); the one before is kept for --undo',
    ],
    [
      'an attempt that did not end',
      { ...PLAN, adopted: { at: '2026-10-01T12:00:00.000Z', by: 'dave', undo: false, pending: true } },
      'find out what became of that',
    ],
    ['targets that go over, too', { ...PLAN, shared: ['lab', 'crm'] }, 'also used by lab, crm'],
    ['targets that may break', { ...PLAN, alike: ['dr'] }, 'dr use a role of that name at another address'],
    ['that nobody can tell who else uses it', { ...PLAN, others: { pooled: true, groups: [] } }, 'a pooler'],
    ['why nobody can tell', { ...PLAN, others: { unknown: 'refused\u001b[2J' } }, 'refused\\u001b[2J'],
    [
      'who else uses it, cleaned',
      {
        ...PLAN,
        others: {
          pooled: false,
          groups: [{ role: 'shop_app', address: null, sessions: 2, applications: ['a\u0007'], since: 'then' }],
        },
      },
      '2 sessions from a local socket (a\\u0007), since then',
    ],
  ])('says %s', (_name, plan, expected) => {
    expect(plain(planText('adopt', plan, false))).toContain(expected);
  });

  it('says what each of the three would do', () => {
    expect(planText('adopt', PLAN, true)).toContain('end the sessions below');
    expect(planText('undo', PLAN, false)).toContain('copies of it log in again');
    expect(planText('forget', PLAN, false)).toContain('no way back');
    expect(planText('undo', PLAN, false)).not.toContain('ALTER ROLE');
  });
});

describe('what was done', () => {
  it.each([
    ['adopt', { old_still_works: false }, 'the old password is refused'],
    ['adopt', { old_still_works: true }, 'with the old password, too'],
    [
      'adopt',
      { old_still_works: false, ended: 0, not_ended: ['permission denied'] },
      'some were not: permission denied',
    ],
    ['undo', { outcome: 'kept' }, 'goes on with its sealed copy'],
    ['undo', { outcome: 'stale' }, 'Nothing was altered'],
    ['undo', { outcome: 'of a newer release' }, 'Undone.'],
    ['forget', { forgotten: false }, 'nothing to forget'],
  ] as const)('is told (%s, %j)', (doing, done, expected) => {
    expect(plain(doneText(doing, done, PLAN))).toContain(expected);
  });
});
