import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action, NAMED_ACTIONS } from '../core/action.ts';
import type { Chain } from '../core/grant.ts';
import type { Ask } from '../core/policy.ts';
import type { Resource } from '../core/resource.ts';
import { agent, alice, chainOf, contextWith, engineFor, helper, loaded } from './testing/chain.ts';

const customers: Resource = { kind: 'Table', path: ['shop', 'shop', 'public', 'customers'] };
const person = chainOf(alice);

function ask(action: Action, resource: Resource = customers, labels: readonly string[] = []): Ask {
  return { action, resource, labels };
}

/** `permit`, `hold dba`, or the reason of a denial; with the policies that decided. */
function outcome(text: string, asked: Ask, chain: Chain = person): string {
  const decision = engineFor(text).decide(chain, asked, contextWith());
  const by = decision.policies.length > 0 ? ` by ${decision.policies.join(' ')}` : '';
  if (decision.effect === 'deny') return decision.reason + by;
  return (decision.effect === 'hold' ? `hold ${decision.rules.join(' ')}` : 'permit') + by;
}

const READ = '@id("read") permit (principal in Group::"support", action == Action::"select", resource);';
const ANY = '@id("any") permit (principal, action, resource);';
const HARD = '@id("hard") forbid (principal, action == Action::"select", resource);';
const SOFT = '@id("soft") @approval("dba") forbid (principal, action == Action::"select", resource);';
const SOFT2 = '@id("soft2") @approval("dpo") forbid (principal, action, resource in Label::"pii");';
const BROKEN =
  '@id("broken") forbid (principal, action, resource) when { context.statement.count * 9223372036854775807 > 1 };';
const BROKEN_PERMIT =
  '@id("broken") permit (principal, action, resource) when { context.statement.count * 9223372036854775807 > 1 };';

describe('one question', () => {
  it.each([
    ['nothing loaded', '', 'no-permit'],
    ['a permit', READ, 'permit by read'],
    ['a permit for another group', READ.replace('support', 'dba'), 'no-permit'],
    ['a permit for another action', READ.replace('select', 'insert'), 'no-permit'],
    ['a permit and a guardrail', READ + HARD, 'forbidden by hard'],
    ['a guardrail without a permit', HARD, 'forbidden by hard'],
    ['a permit and a liftable forbid', READ + SOFT, 'hold dba by soft'],
    ['a liftable forbid without a permit', SOFT, 'no-permit'],
    ['a guardrail beside a liftable forbid', READ + SOFT + HARD, 'forbidden by hard'],
    ['two liftable forbids', READ + SOFT + SOFT2, 'hold dba dpo by soft soft2'],
  ])('with %s', (_name, text, expected) => {
    expect(outcome(text, ask('select', customers, ['pii.email']))).toBe(expected);
  });

  it('denies when a forbid fails, although the engine would skip it', () => {
    const text = `${READ} ${BROKEN}`;
    expect(
      engineFor(text).decide(
        person,
        ask('select'),
        contextWith({ statement: { verb: 'select', bounded: true, count: 2 } }),
      ),
    ).toMatchObject({ effect: 'deny', reason: 'policy-fault', policies: ['broken'] });
  });

  it.each([
    ['permits that fail', READ + BROKEN_PERMIT],
    ['a failing forbid that approval would lift', READ + BROKEN.replace('@id', '@approval("dba") @id')],
    ['a failing forbid beside one that holds', READ + SOFT + BROKEN],
  ])('denies with %s', (_name, text) => {
    const context = contextWith({ statement: { verb: 'select', bounded: true, count: 2 } });
    for (const chain of [person, chainOf(alice, [{ agent: agent('ci') }])]) {
      expect(engineFor(text).decide(chain, ask('select'), context)).toMatchObject({ reason: 'policy-fault' });
    }
  });

  it('shows the reason of the policy that refuses, and what would allow what nobody permits', () => {
    const engine = engineFor(`@id("no") @reason("not on Fridays") ${HARD.replace('@id("hard") ', '')}`);
    expect(engine.decide(person, ask('select'), contextWith())).toMatchObject({
      message: 'select on table shop/shop/public/customers is forbidden by policy no: not on Fridays',
    });
    const { hint } = engineFor('').decide(person, ask('select'), contextWith()) as { hint: string };
    expect(engineFor(hint).decide(person, ask('select'), contextWith())).toMatchObject({ effect: 'permit' });
  });
});

describe('named actions', () => {
  it.each([...NAMED_ACTIONS])('%s is not granted by a permit that does not name it', (action) => {
    expect(outcome(ANY, ask(action))).toBe('no-permit');
    expect(outcome(ANY.replace('action,', 'action in [Action::"read", Action::"write"],'), ask(action))).toBe(
      'no-permit',
    );
    expect(outcome(`${ANY} @id("none") forbid (principal, action, resource);`, ask(action))).toBe('forbidden by none');
    expect(outcome(`${ANY} @id("none") @approval("dba") forbid (principal, action, resource);`, ask(action))).toBe(
      'no-permit',
    );
  });

  it.each([
    ['==', 'action == Action::"filter"'],
    ['a list', 'action in [Action::"select", Action::"filter"]'],
  ])('are granted by %s', (_name, scope) => {
    const column: Resource = { kind: 'Column', path: [...customers.path, 'email'] };
    const text = `@id("it") permit (principal, ${scope}, resource in Table::"shop/shop/public/customers");`;
    expect(outcome(text, ask('filter', column))).toBe('permit by it');
    expect(outcome(text, ask('reveal', column))).toBe('no-permit');
  });

  it('are the only ones that a plain permit leaves out', () => {
    const reached = ACTIONS.filter((action) => outcome(ANY, ask(action)) === 'permit by any');
    expect(reached).toEqual(ACTIONS.filter((action) => !NAMED_ACTIONS.has(action)));
  });
});

describe('whose permits', () => {
  const ci = agent('ci');
  it('come from the root alone when rights are delegated', () => {
    expect(outcome(READ, ask('select'), chainOf(alice, [{ agent: ci }, { agent: helper('h') }]))).toBe(
      'permit by read',
    );
  });

  it('do not come from a delegated agent', () => {
    const text = READ.replace('support', 'bots');
    expect(outcome(text, ask('select'), chainOf(alice, [{ agent: agent('ci', { groups: ['bots'] }) }]))).toBe(
      'no-permit',
    );
  });

  it('must also come from an agent with rights of its own', () => {
    const own = agent('bot', { rights: 'own', groups: ['bots'] });
    expect(outcome(READ, ask('select'), chainOf(alice, [{ agent: own }]))).toBe('no-permit');
    const both = `${READ} @id("bots") permit (principal in Group::"bots", action, resource);`;
    expect(outcome(both, ask('select'), chainOf(alice, [{ agent: own }]))).toBe('permit by bots read');
    expect(outcome(both.replace(READ, ''), ask('select'), chainOf(alice, [{ agent: own }]))).toBe('no-permit');
  });

  it.each([
    ['by its kind', '@id("no") forbid (principal is Agent, action, resource) when { principal.kind == "tool" };'],
    ['by its id', '@id("no") forbid (principal == Agent::"parent/h", action, resource);'],
    ['by the chain', '@id("no") forbid (principal, action, resource) when { context.chain.kinds.contains("tool") };'],
    [
      'by the weakest link',
      '@id("no") forbid (principal, action, resource) when { context.chain.weakest == "asserted" };',
    ],
    ['by how deep it is', '@id("no") forbid (principal, action, resource) when { context.chain.depth > 1 };'],
  ])('can be forbidden to an agent %s', (_name, forbid) => {
    expect(outcome(READ + forbid, ask('select'), chainOf(alice, [{ agent: ci }, { agent: helper('h') }]))).toBe(
      'forbidden by no',
    );
    expect(outcome(READ + forbid, ask('select'), chainOf(alice, [{ agent: ci }]))).toBe('permit by read');
  });

  it('hold for an agent when a liftable forbid names it', () => {
    const text = `${READ} @id("ask") @approval("dba") forbid (principal is Agent, action, resource);`;
    expect(outcome(text, ask('select'), chainOf(alice, [{ agent: ci }]))).toBe('hold dba by ask read');
    expect(outcome(text, ask('select'))).toBe('permit by read');
  });

  it('belong to a workload that is itself the root', () => {
    const workload = { ...alice, kind: 'workload' as const };
    expect(outcome('', ask('select'), chainOf(workload))).toBe('no-permit');
    expect(
      outcome(
        '@id("w") permit (principal == Workload::"https://id|alice", action, resource);',
        ask('select'),
        chainOf(workload),
      ),
    ).toBe('permit by w');
    expect(
      outcome(
        '@id("u") permit (principal == User::"https://id|alice", action, resource);',
        ask('select'),
        chainOf(workload),
      ),
    ).toBe('no-permit');
  });

  it('do not follow from a kind, class or name that sounds like a group', () => {
    const text = READ.replace('support', 'dba');
    const sly = agent('dba', { rights: 'own', kind: 'dba', class: 'dba' });
    expect(
      outcome(
        `${text} @id("root") permit (principal is User, action, resource);`,
        ask('select'),
        chainOf(alice, [{ agent: sly }]),
      ),
    ).toBe('no-permit');
  });

  it('an asserted agent cannot speak for a class', () => {
    const text = `@id("gh") permit (principal, action, resource) when { context.chain.classes.contains("github") };`;
    expect(outcome(text, ask('select'), chainOf(alice, [{ agent: agent('x', { assurance: 'asserted' }) }]))).toBe(
      'no-permit',
    );
    expect(outcome(text, ask('select'), chainOf(alice, [{ agent: agent('x') }]))).toBe('permit by gh');
  });
});

describe('resources', () => {
  const permitOn = (scope: string): string => `@id("it") permit (principal, action, resource ${scope});`;
  it.each([
    ['== Table::"shop/shop/public/customers"', 'permit by it'],
    ['in Table::"shop/shop/public/customers"', 'permit by it'],
    ['in Schema::"shop/shop/public"', 'permit by it'],
    ['in Database::"shop/shop"', 'permit by it'],
    ['in Target::"shop"', 'permit by it'],
    ['is Table in Target::"shop"', 'permit by it'],
    ['in Label::"pii.email"', 'permit by it'],
    ['in Label::"pii"', 'permit by it'],
    ['in Label::"pii.phone"', 'no-permit'],
    ['in Label::"pi"', 'no-permit'],
    ['in Target::"sho"', 'no-permit'],
    ['in Target::"shop2"', 'no-permit'],
    ['is Column', 'no-permit'],
  ])('%s', (scope, expected) => {
    expect(outcome(permitOn(scope), ask('select', customers, ['pii.email']))).toBe(expected);
  });

  it.each([
    ['a slash', 'a/b', 'a%2Fb'],
    ['a quote', 'x"', 'x%22'],
    ['a backslash', 'x\\', 'x%5C'],
    [
      'policy text',
      '"); permit (principal, action, resource); //',
      '%22); permit (principal, action, resource); %2F%2F',
    ],
    ['a percent', '%2F', '%252F'],
  ])('a table whose name has %s is itself and nothing else', (_name, table, encoded) => {
    const path = ['shop', 'shop', 'public', table];
    const text = permitOn(`== Table::"shop/shop/public/${encoded}"`);
    expect(outcome(text, ask('select', { kind: 'Table', path }))).toBe('permit by it');
    expect(outcome(text, ask('select', customers))).toBe('no-permit');
    expect(outcome(permitOn('in Table::"shop/shop/public/a"'), ask('select', { kind: 'Table', path }))).toBe(
      'no-permit',
    );
    const hint = (
      engineFor('').decide(person, ask('select', { kind: 'Table', path }), contextWith()) as { hint: string }
    ).hint;
    expect(outcome(hint, ask('select', { kind: 'Table', path }))).toBe('permit by p.cedar#1');
    expect(loaded(hint).policies).toHaveLength(1);
  });

  it('a principal whose id holds policy text is itself and nothing else', () => {
    const sly = { ...alice, id: 'i|"); permit (principal, action, resource); //', groups: [] };
    const { hint } = engineFor('').decide(chainOf(sly), ask('select'), contextWith()) as { hint: string };
    expect(loaded(hint).policies).toHaveLength(1);
    expect(outcome(hint, ask('select'), chainOf(sly))).toBe('permit by p.cedar#1');
    expect(outcome(hint, ask('select'))).toBe('no-permit');
  });

  it('a target called like an object property is no trouble', () => {
    const path = ['__proto__', 'constructor', 'public', 't'];
    expect(outcome(permitOn('in Target::"__proto__"'), ask('select', { kind: 'Table', path }))).toBe('permit by it');
  });
});

describe('what is remembered', () => {
  const address = `@id("lan") permit (principal, action, resource) when { context has source && context.source.isInRange(ip("10.0.0.0/8")) };`;
  it('does not outlive the context it looked at', () => {
    const engine = engineFor(address);
    const decide = (source: string): string => engine.decide(person, ask('select'), contextWith({ source })).effect;
    expect(['10.1.1.1', '11.1.1.1', '::ffff:10.1.1.1', '::1', '/run/s', '10.1.1.1'].map(decide)).toEqual([
      'permit',
      'deny',
      'permit',
      'deny',
      'deny',
      'permit',
    ]);
  });

  it('does not outlive the policies', () => {
    const engine = engineFor(READ);
    const { epoch } = engine;
    expect(engine.decide(person, ask('select'), contextWith()).effect).toBe('permit');
    engine.load(loaded(HARD));
    expect(engine.decide(person, ask('select'), contextWith()).effect).toBe('deny');
    expect(engine.epoch).toBeGreaterThan(epoch);
  });

  it('does not pass from one identity to another', () => {
    const engine = engineFor(READ);
    expect(engine.decide(person, ask('select'), contextWith()).effect).toBe('permit');
    expect(engine.decide(chainOf({ ...alice, groups: [] }), ask('select'), contextWith()).effect).toBe('deny');
  });

  it('is the same object when nothing that matters changed', () => {
    const engine = engineFor(READ);
    const first = engine.trace(person, ask('select'), contextWith());
    const other = contextWith({ source: '1.2.3.4', now: 5, statement: { verb: 'x', bounded: false, count: 9 } });
    expect(engine.trace(person, ask('select'), other)[0]?.decision).toBe(first[0]?.decision);
  });

  it('says until when an answer that read the time is good, and reads it again then', () => {
    const noon = Date.UTC(2026, 5, 1, 12);
    const engine = engineFor(
      `@id("am") permit (principal, action, resource) when { context.now.toTime() < duration("12h") };`,
    );
    const decide = (now: number): unknown => engine.decide(person, ask('select'), contextWith({ now }));
    expect(decide(noon - 500)).toMatchObject({ effect: 'permit', validUntil: noon });
    expect(decide(noon)).toMatchObject({ effect: 'deny' });
    expect(engineFor(READ).decide(person, ask('select'), contextWith())).not.toHaveProperty('validUntil');
  });

  it('sends all that one policy reads of one part of the context', () => {
    const engine = engineFor(`permit (principal, action, resource)
      when { context.chain.depth == 0 && context.chain.binding == "scram" && context.chain.root like "*alice" };`);
    expect(engine.decide(person, ask('select'), contextWith()).effect).toBe('permit');
  });

  it('is asked again by a condition on any single part of the context', () => {
    const engine = engineFor(`
      permit (principal, action, resource) when { context.statement.bounded };
      permit (principal, action, resource) when { context.chain has purpose && context.chain.purpose == "fix" };`);
    const unbounded = contextWith({ statement: { verb: 'select', bounded: false, count: 1 } });
    expect(engine.decide(person, ask('select'), contextWith()).effect).toBe('permit');
    expect(engine.decide(person, ask('select'), unbounded).effect).toBe('deny');
    const fixing = chainOf(alice, [{ agent: agent('ci'), purpose: 'fix' }]);
    expect(engine.decide(fixing, ask('select'), unbounded).effect).toBe('permit');
  });
});

describe('the gateway itself', () => {
  it('is decided for the principal in person', () => {
    const engine = engineFor(
      `permit (principal in Group::"support", action == Action::"gateway-approve", resource == Gateway::"sallyport");`,
    );
    expect(engine.decideGateway(alice, 'gateway-approve', contextWith()).effect).toBe('permit');
    expect(engine.decideGateway(alice, 'gateway-admin', contextWith()).effect).toBe('deny');
    expect(engine.decideGateway({ ...alice, groups: [] }, 'gateway-approve', contextWith()).effect).toBe('deny');
  });
});

describe('columns named by a policy', () => {
  it.each([
    ['an id in the scope', 'resource == Column::"shop/shop/public/customers/ssn");', true],
    ['an id in a condition', 'resource) when { resource in [Column::"shop/shop/public/customers/ssn"] };', true],
    ['the type', 'resource is Column);', true],
    ['a name', 'resource) when { resource.name like "*ssn*" };', true],
    ['another table', 'resource == Column::"shop/shop/public/orders/id");', false],
    ['the table', 'resource) when { resource in Table::"shop/shop/public/customers" };', false],
    ['nothing', 'resource);', false],
  ])('by %s', (_name, rest, expected) => {
    expect(engineFor(`forbid (principal, action == Action::"select", ${rest}`).namesColumnsOf(customers)).toBe(
      expected,
    );
  });
});
