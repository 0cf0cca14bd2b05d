import { describe, expect, it } from 'vitest';
import type { StatementFacts } from '../core/facts.ts';
import type { Chain } from '../core/grant.ts';
import { CedarEngine } from './engine.ts';
import { loadPolicies } from './load.ts';
import { STARTER_RULES, starterPolicies } from './starter.ts';
import { decideSql } from './statement.ts';
import { agent, alice, chainOf, contextWith, helper } from './testing/chain.ts';
import { column, email, question, statement } from './testing/sql.ts';

function engine(target: string): CedarEngine {
  const loaded = loadPolicies(starterPolicies(target), { rules: STARTER_RULES });
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.warnings).toEqual([]);
  return new CedarEngine(loaded);
}

const shop = engine('shop');
const person = (group: string): Chain => chainOf({ ...alice, groups: [group] });

function sql(chain: Chain, facts: StatementFacts): string {
  const { decision } = decideSql(shop, question(chain, [facts]));
  return decision.effect === 'deny'
    ? decision.reason
    : [decision.effect, ...decision.obligations.map(({ kind }) => kind)].join(' ');
}

describe('the starter policies', () => {
  const connect = { action: 'connect', resource: { kind: 'Database', path: ['shop', 'shop'] }, labels: [] } as const;
  it.each([
    ['support', 'permit'],
    ['engineering', 'permit'],
    ['auditors', 'deny'],
    ['dba', 'deny'],
    ['nobody', 'deny'],
  ])('let %s connect: %s', (group, effect) => {
    expect(shop.decide(person(group), connect, contextWith()).effect).toBe(effect);
  });

  const looksUp = statement(
    'select',
    { c: ['select'] },
    { columns: [{ ...column('c.email', 'filter', [email]), filter: 'equality' }, column('c.email', 'read', [email])] },
  );
  const write = statement('update', { c: ['update'] });
  it.each([
    ['support looks a customer up', person('support'), looksUp, 'permit mask'],
    ['support writes', person('support'), write, 'no-permit'],
    ['an engineer writes', person('engineering'), write, 'permit'],
    ['an engineer writes everywhere', person('engineering'), { ...write, bounded: false }, 'forbidden'],
    ['an engineer looks up by address', person('engineering'), looksUp, 'labelled-column'],
    ['an engineer changes production', person('engineering'), statement('ddl', { c: ['ddl'] }), 'hold'],
    ['support changes production', person('support'), statement('ddl', { c: ['ddl'] }), 'no-permit'],
    [
      'a CI job writes for an engineer',
      chainOf({ ...alice, groups: ['engineering'] }, [{ agent: agent('ci') }]),
      write,
      'permit',
    ],
    [
      'its helper writes',
      chainOf({ ...alice, groups: ['engineering'] }, [{ agent: agent('ci') }, { agent: helper('h') }]),
      write,
      'forbidden',
    ],
    ['anybody looks at the catalog', person('nobody'), statement('introspect', { pg_class: ['introspect'] }), 'permit'],
  ])('%s', (_name, chain, facts, expected) => {
    expect(sql(chain, facts)).toBe(expected);
  });

  it('keep admins, approvers and auditors apart', () => {
    const actions = ['gateway-admin', 'gateway-approve', 'gateway-audit'] as const;
    const may = (group: string): string[] =>
      actions.filter(
        (action) => shop.decideGateway({ ...alice, groups: [group] }, action, contextWith()).effect === 'permit',
      );
    expect(may('sallyport-admins')).toEqual(['gateway-admin', 'gateway-audit']);
    expect(may('dba')).toEqual(['gateway-approve']);
    expect(may('auditors')).toEqual(['gateway-audit']);
    expect(may('support')).toEqual([]);
  });

  it('load for any name of a target', () => {
    expect(() => engine('a"b\\c$&')).not.toThrow();
  });
});
