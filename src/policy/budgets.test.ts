import { describe, expect, it } from 'vitest';
import type { ColumnUse, StatementFacts } from '../core/facts.ts';
import { decideSql } from './statement.ts';
import { alice, chainOf, engineFor } from './testing/chain.ts';
import { column, email, question, secret, statement } from './testing/sql.ts';

const LOOKS_UP = `permit (principal, action == Action::"select", resource);
  permit (principal, action == Action::"filter", resource);`;
const REVEALS = `${LOOKS_UP} permit (principal, action == Action::"reveal", resource);`;
const HIDES = `${REVEALS} forbid (principal, action == Action::"reveal", resource in Label::"prod");`;

const filter = (more: Partial<ColumnUse>, labels = [email]): ColumnUse => ({
  ...column('c.email', 'filter', labels),
  filter: 'equality',
  ...more,
});

function asked(policies: string, columns: readonly ColumnUse[], more: Partial<StatementFacts> = {}): unknown {
  const facts = statement('select', { c: ['select'] }, { columns, ...more });
  const own = question(chainOf(alice), [facts]);
  const budgets = [{ label: 'pii', lookups: 5, rows: 9 }];
  const { decision } = decideSql(engineFor(policies), { ...own, target: { ...own.target, budgets } });
  if (decision.effect !== 'permit') return decision.effect;
  return decision.obligations.find(({ kind }) => kind === 'budget');
}

const lookups = (constants: number, arrays: readonly number[] = []) => ({ constants, arrays });

describe('a budget', () => {
  it.each([
    ['constants', filter({ lookups: lookups(3) }), lookups(3)],
    ['arrays that are bound', filter({ lookups: lookups(0, [1]) }), lookups(0, [1])],
    ['any other filter once', filter({ filter: 'any' }), lookups(1)],
  ])('counts %s', (_name, use, expected) => {
    expect(asked(LOOKS_UP, [use])).toMatchObject({ label: 'pii', lookups: { most: 5, asked: expected } });
  });

  it('counts what EXECUTE gives, and more than there is where that cannot be told', () => {
    const use = filter({ lookups: lookups(1, [1, 2]) });
    expect(asked(LOOKS_UP, [use], { given: [4, 2] })).toMatchObject({ lookups: { asked: lookups(7) } });
    expect(asked(LOOKS_UP, [use], { given: [4, undefined] })).toMatchObject({
      lookups: { asked: lookups(Number.MAX_SAFE_INTEGER) },
    });
  });

  it('is left alone by PREPARE', () => {
    const use = filter({ lookups: lookups(1) });
    expect(asked(LOOKS_UP, [use], { names: { kind: 'prepare', name: 'p' } })).toBeUndefined();
  });

  it('counts no look-up of what may be seen, and every one where a forbid hides it', () => {
    const use = filter({ lookups: lookups(3) });
    expect(asked(REVEALS, [use])).toBeUndefined();
    expect(asked(HIDES, [use])).toMatchObject({ lookups: { asked: lookups(3) } });
  });

  it('counts rows that show a column, masked or not, and none of other labels', () => {
    expect(asked(LOOKS_UP, [column('c.email', 'read', [email])])).toMatchObject({ rows: 9 });
    expect(asked(LOOKS_UP, [column('c.token', 'read', [secret])])).toBeUndefined();
    expect(asked(LOOKS_UP, [{ ...column('c.email', 'derive', [email]), besides: true }])).toBeUndefined();
  });
});
