import { describe, expect, it } from 'vitest';
import type { Caveats, Scope } from '../core/caveats.ts';
import type { StatementFacts } from '../core/facts.ts';
import type { Chain } from '../core/grant.ts';
import type { Resource } from '../core/resource.ts';
import { explainSql } from './explain.ts';
import { type DetectRules, decideSql, type SqlDecision } from './statement.ts';
import { agent, alice, chainOf, engineFor, helper } from './testing/chain.ts';
import { column, email, question, secret, statement, table } from './testing/sql.ts';

const person = chainOf(alice);
const ALL = '@id("all") permit (principal, action, resource);';

function decide(text: string, statements: readonly StatementFacts[], chain: Chain = person): SqlDecision {
  return decideSql(engineFor(text), question(chain, statements));
}

function short({ decision }: SqlDecision): string {
  if (decision.effect === 'deny') return decision.reason;
  const masks = decision.obligations.flatMap((duty) => (duty.kind === 'mask' ? `${duty.style} ${duty.attribute}` : []));
  return [decision.effect === 'hold' ? `hold ${decision.rules.join(' ')}` : 'permit', ...masks].join(', ');
}

const read = (columns: StatementFacts['columns']): StatementFacts =>
  statement('select', { customers: ['select'] }, { columns });

describe('a statement', () => {
  it('is denied by one denial, held by one hold for all rules, else permitted', () => {
    const one = statement('select', { a: ['select'] });
    const two = statement('select', { a: ['select'], b: ['select'] });
    const hold = (name: string, rule: string): string =>
      `@approval("${rule}") forbid (principal, action, resource == Table::"shop/shop/public/${name}");`;
    expect(short(decide(ALL, [two]))).toBe('permit');
    expect(short(decide(ALL + hold('b', 'dba'), [one]))).toBe('permit');
    expect(short(decide(ALL + hold('b', 'dba'), [two]))).toBe('hold dba');
    expect(short(decide(ALL + hold('b', 'dba') + hold('a', 'dpo'), [one, two]))).toBe('hold dba dpo');
    const permitA = 'permit (principal, action, resource == Table::"shop/shop/public/a");';
    expect(short(decide(permitA, [one]))).toBe('permit');
    expect(short(decide(permitA, [two]))).toBe('no-permit');
    expect(short(decide(permitA + hold('a', 'dba'), [two]))).toBe('no-permit');
  });

  it('is judged by its own boundedness, in a message with others', () => {
    const guard = `${ALL} forbid (principal, action in [Action::"delete", Action::"update"], resource) when { !context.statement.bounded };`;
    const bounded = statement('delete', { a: ['delete'] });
    const unbounded = statement('delete', { a: ['delete'] }, { bounded: false });
    expect(short(decide(guard, [bounded]))).toBe('permit');
    expect(short(decide(guard, [bounded, unbounded]))).toBe('forbidden');
  });

  it.each([
    ['the empty query', [], 'permit'],
    ['transaction control', [statement('transaction', {}, { free: true })], 'permit'],
    [
      'a free setting',
      [statement('session', {}, { settings: [{ name: 'datestyle', value: 'ISO', class: 'free' }] })],
      'permit',
    ],
    [
      'a pinned setting at its value',
      [statement('session', {}, { settings: [{ name: 'client_encoding', value: 'UTF8', class: 'pinned' }] })],
      'permit',
    ],
    [
      'a search path',
      [statement('session', {}, { settings: [{ name: 'search_path', value: 'a', class: 'tracked' }] })],
      'permit',
    ],
    [
      'any other setting',
      [statement('session', {}, { settings: [{ name: 'role', value: 'x', class: 'admin' }] })],
      'no-permit',
    ],
    ['SELECT 1', [statement('select', {})], 'permit'],
    ['an opaque statement that names nothing', [statement('opaque', {})], 'no-permit'],
    ['DDL that names nothing', [statement('ddl', {})], 'no-permit'],
  ] as const)('%s by somebody without permits', (_name, statements, expected) => {
    expect(short(decide('', statements))).toBe(expected);
  });

  it('may set what policy names', () => {
    const set = statement('session', {}, { settings: [{ name: 'work_mem', value: '1', class: 'admin' }] });
    expect(
      short(decide('permit (principal, action == Action::"admin", resource == Setting::"shop/shop/work_mem");', [set])),
    ).toBe('permit');
    expect(short(decide(ALL, [set]))).toBe('no-permit');
  });
});

describe('a labelled column', () => {
  const reveal = '@id("reveal") permit (principal, action == Action::"reveal", resource in Label::"pii");';
  it.each([
    ['read', ALL, 'permit, email 5'],
    ['read', ALL + reveal, 'permit'],
    [
      'read',
      `${ALL}${reveal} forbid (principal, action == Action::"reveal", resource in Label::"pii");`,
      'permit, email 5',
    ],
    ['read', `${ALL}${reveal} @approval("dpo") forbid (principal, action == Action::"reveal", resource);`, 'hold dpo'],
    ['read', `${ALL} forbid (principal, action == Action::"select", resource in Label::"pii");`, 'forbidden'],
    ['derive', ALL, 'labelled-column'],
    ['derive', ALL + reveal, 'permit'],
    ['filter', ALL + reveal, 'labelled-column'],
    ['filter', `${ALL} permit (principal, action == Action::"filter", resource in Label::"pii.email");`, 'permit'],
    [
      'filter',
      `${ALL} permit (principal, action == Action::"filter", resource == Column::"shop/shop/public/customers/email");`,
      'permit',
    ],
    ['assign', ALL + reveal, 'labelled-column'],
    ['assign', `${ALL} permit (principal, action == Action::"assign", resource in Target::"shop");`, 'permit'],
  ] as const)('%s under %s: %s', (use, text, expected) => {
    expect(short(decide(text, [read([column('customers.email', use, [email])])]))).toBe(expected);
  });

  it('with two labels needs the right over both, and gets the strictest mask of those that are missing', () => {
    const both = [read([column('customers.email', 'read', [email, secret])])];
    expect(short(decide(ALL, both))).toBe('permit, null 5');
    expect(short(decide(ALL + reveal, both))).toBe('permit, null 5');
    expect(
      short(decide(`${ALL} permit (principal, action == Action::"reveal", resource in Label::"secret");`, both)),
    ).toBe('permit, email 5');
    expect(short(decide(`${ALL} permit (principal, action == Action::"reveal", resource);`, both))).toBe('permit');
  });

  it('is denied where it could not be masked', () => {
    const use = column('customers.email', 'read', [email]);
    expect(short(decide(ALL, [read([{ ...use, table: 0 }])]))).toBe('labelled-column');
    expect(short(decide(ALL, [read([{ ...use, attribute: 0 }])]))).toBe('labelled-column');
    const copy = { ...read([use]), copy: { direction: 'out', format: 'text' } } as const;
    expect(short(decide(ALL, [copy]))).toBe('labelled-column');
  });

  it('says which column, label and right, and gives a line that works', () => {
    const statements = [read([column('customers.email', 'filter', [email])])];
    const { decision } = decide(ALL, statements);
    expect(decision).toMatchObject({
      message:
        'column shop/shop/public/customers/email is labelled pii.email and would be used to choose, order or group rows, which needs filter',
    });
    expect(short(decide(ALL + (decision as { hint: string }).hint, statements))).toBe('permit');
  });

  it('denies, not masks, when the question of revealing it cannot be answered', () => {
    const broken = `${ALL} forbid (principal, action == Action::"reveal", resource) when { context.statement.count * 9223372036854775807 > 1 };`;
    const twice = read([column('customers.email', 'read', [email])]);
    expect(short(decide(broken, [twice, twice]))).toBe('policy-fault');
  });

  it('once revealed is not scanned; masked twice is masked once', () => {
    const detect: DetectRules = { detectors: ['email'], people: 'observe', agents: 'mask' };
    const use = column('customers.email', 'read', [email]);
    const ask = (text: string, chain: Chain): unknown => {
      const { decision } = decideSql(engineFor(text), question(chain, [read([use, use])], { detect }));
      return (
        decision.effect === 'permit' &&
        decision.obligations.map((duty) => [duty.kind, Object.values(duty).slice(duty.kind === 'detect' ? 3 : 2)])
      );
    };
    const revealed = { table: 16400, attribute: 5 };
    expect(ask(ALL + reveal, person)).toEqual([['detect', ['observe', [revealed, revealed]]]]);
    expect(ask(ALL, chainOf(alice, [{ agent: agent('ci') }]))).toEqual([
      ['detect', ['mask', []]],
      ['mask', [16400, 5, 'pii.email', 'email']],
    ]);
  });
});

describe('an unlabelled column', () => {
  const ssn = [read([column('customers.ssn', 'read')])];
  it('needs no permit besides its table, but can be forbidden or held', () => {
    const permit = 'permit (principal, action, resource == Table::"shop/shop/public/customers");';
    const on = 'resource == Column::"shop/shop/public/customers/ssn");';
    expect(short(decide(permit, ssn))).toBe('permit');
    expect(short(decide(`${permit} forbid (principal, action == Action::"select", ${on}`, ssn))).toBe('forbidden');
    expect(short(decide(`${permit} @approval("dba") forbid (principal, action, ${on}`, ssn))).toBe('hold dba');
    expect(short(decide(`${permit} forbid (principal, action == Action::"update", ${on}`, ssn))).toBe('permit');
    expect(
      short(decide(`${permit} forbid (principal, action, resource is Column) when { resource.name like "s*" };`, ssn)),
    ).toBe('forbidden');
  });

  it('is not a way around a missing permit for its table', () => {
    expect(short(decide('permit (principal, action, resource is Column);', ssn))).toBe('no-permit');
  });
});

describe('caveats', () => {
  const scope = (more: Partial<Scope>): Caveats => ({ scopes: [{ target: 'shop', ...more }] });
  const under = (caveats: Caveats, statements: readonly StatementFacts[], more = {}): string => {
    const chain = chainOf(alice, [{ agent: agent('ci'), caveats }, { agent: helper('h') }]);
    return short(
      decideSql(
        engineFor(
          `${ALL} permit (principal, action in [Action::"execute", Action::"reveal", Action::"filter", Action::"admin"], resource);`,
        ),
        question(chain, statements, more),
      ),
    );
  };
  const select = read([column('customers.id', 'read'), column('customers.name', 'filter')]);
  const orders: Resource = { kind: 'Function', path: ['shop', 'shop', 'public', 'f'] };

  it.each([
    ['none', {}, 'permit'],
    ['no scopes', { scopes: [] }, 'caveat'],
    ['the target', scope({}), 'permit'],
    ['another target', { scopes: [{ target: 'shop2' }] }, 'caveat'],
    ['the database', scope({ databases: ['shop'] }), 'permit'],
    ['another database', scope({ databases: ['x'] }), 'caveat'],
    ['another role', scope({ roles: ['owner'] }), 'caveat'],
    ['the action', scope({ actions: ['select'] }), 'permit'],
    ['the group', scope({ actions: ['read'] }), 'permit'],
    ['another group', scope({ actions: ['write'] }), 'caveat'],
    ['the table', scope({ tables: { 'public.customers': '*' } }), 'permit'],
    ['its columns', scope({ tables: { 'public.customers': ['id', 'name'] } }), 'permit'],
    ['a column less', scope({ tables: { 'public.customers': ['id'] } }), 'caveat'],
    ['no column', scope({ tables: { 'public.customers': [] } }), 'caveat'],
    ['another table', scope({ tables: { 'public.orders': '*' } }), 'caveat'],
    [
      'two scopes, neither whole',
      {
        scopes: [
          { target: 'shop', actions: ['select'], tables: { 'public.orders': '*' } },
          { target: 'shop', actions: ['insert'] },
        ],
      },
      'caveat',
    ],
    [
      'two scopes, together whole',
      {
        scopes: [
          { target: 'shop', tables: { 'public.customers': ['id'] } },
          { target: 'shop', tables: { 'public.customers': ['name'] } },
        ],
      },
      'permit',
    ],
    ['a table called like an object property', scope({ tables: {} }), 'caveat'],
  ] as const)('%s', (_name, caveats, expected) => {
    expect(under(caveats as Caveats, [select])).toBe(expected);
  });

  it.each([
    ['count(*) of a table with listed columns', ['select'], statement('select', { customers: ['select'] }), 'permit'],
    ['transaction control', ['select'], statement('transaction', {}, { free: true, transaction: 'begin' }), 'permit'],
    ['SELECT 1', ['select'], statement('select', {}), 'permit'],
    [
      'a function beside a list of tables',
      ['select', 'execute'],
      statement('execute', {}, { uses: [{ action: 'execute', resource: orders, labels: [] }] }),
      'caveat',
    ],
    [
      'a setting beside a list of tables',
      ['admin'],
      statement('session', {}, { settings: [{ name: 'x', value: 'y', class: 'admin' }] }),
      'caveat',
    ],
    ['the catalog without introspect', ['select'], statement('introspect', { pg_class: ['introspect'] }), 'caveat'],
    [
      'the catalog with introspect',
      ['select', 'introspect'],
      statement('introspect', { pg_class: ['introspect'] }, { columns: [column('pg_class.oid', 'read')] }),
      'permit',
    ],
    ['the catalog with read', ['read'], statement('introspect', { pg_class: ['introspect'] }), 'permit'],
    ['a toString table', undefined, statement('select', { ['toString' as string]: ['select'] }), 'caveat'],
  ] as const)('%s', (_name, actions, facts, expected) => {
    const tables = { 'public.customers': ['id'] };
    expect(under(scope({ tables, ...(actions ? { actions } : {}) }), [facts])).toBe(expected);
  });

  it('without the right in a list of actions, a permitted reveal is a mask and a permitted filter is denied', () => {
    const labelled = (use: 'read' | 'filter'): StatementFacts[] => [read([column('customers.email', use, [email])])];
    expect(under({}, labelled('read'))).toBe('permit');
    expect(under(scope({ actions: ['select'] }), labelled('read'))).toBe('permit, email 5');
    expect(under(scope({ actions: ['select', 'reveal'] }), labelled('read'))).toBe('permit');
    expect(under(scope({ actions: ['select', 'reveal'] }), labelled('filter'))).toBe('labelled-column');
  });

  it('that keep a dot in a name from being read as the border of two', () => {
    const dotted = statement('select', {}, { uses: [{ action: 'select', resource: table('c', 'a.b'), labels: [] }] });
    expect(under(scope({ tables: { 'a.b.c': '*' } }), [dotted])).toBe('caveat');
    expect(under(scope({ tables: { 'a%2Eb.c': '*' } }), [dotted])).toBe('permit');
  });

  it('of every grant on the path hold, and the denial says whose does not', () => {
    const chain = chainOf(alice, [
      { agent: agent('ci'), caveats: scope({ actions: ['read'] }) },
      { agent: helper('h'), caveats: scope({}) },
    ]);
    const { decision } = decide(ALL, [statement('delete', { customers: ['delete'] })], chain);
    expect(decision).toMatchObject({
      reason: 'caveat',
      message: 'the pass of ci (attested) does not reach delete on table shop/shop/public/customers',
      hint: 'ask whoever issued grant grant1 for a pass that does',
    });
  });

  describe('that bind a statement', () => {
    const exact = scope({ statement: { kind: 'exact', text: 'SELECT 7', parameters: ['a', null] } });
    it.each([
      ['exactly', { text: 'SELECT 7', parameters: ['a', null] }, 'permit'],
      ['with another parameter', { text: 'SELECT 7', parameters: ['b', null] }, 'caveat'],
      ['with a parameter more', { text: 'SELECT 7', parameters: ['a', null, 'x'] }, 'caveat'],
      ['with none', { text: 'SELECT 7' }, 'caveat'],
      ['in binary', { text: 'SELECT 7', parameters: [Uint8Array.of(97), null] }, 'caveat'],
      ['with a space more', { text: 'SELECT  7', parameters: ['a', null] }, 'caveat'],
    ] as const)('%s', (_name, sent, expected) => {
      expect(under(exact, [select], sent)).toBe(expected);
      expect(under(exact, [statement('select', {})], sent)).toBe(expected);
    });

    it('without parameters take none', () => {
      const plain = scope({ statement: { kind: 'exact', text: 'SELECT 7' } });
      expect(under(plain, [select], { text: 'SELECT 7' })).toBe('permit');
      expect(under(plain, [select], { text: 'SELECT 7', parameters: [] })).toBe('permit');
      expect(under(plain, [select], { text: 'SELECT 7', parameters: ['1'] })).toBe('caveat');
    });

    it('by fingerprint are for reads only', () => {
      const print = scope({ statement: { kind: 'fingerprint', fingerprint: 'f1' } });
      expect(under(print, [select])).toBe('permit');
      expect(under(print, [select], { fingerprint: 'f2' })).toBe('caveat');
      expect(under(print, [statement('update', { customers: ['update'] })])).toBe('caveat');
      expect(under(print, [select, statement('update', { customers: ['update'] })])).toBe('caveat');
      expect(under(print, [statement('transaction', {}, { free: true })], { fingerprint: 'f2' })).toBe('permit');
    });
  });

  it('cap rows at the smallest on the path', () => {
    const chain = chainOf(
      alice,
      [
        { agent: agent('ci'), caveats: { rows: 10 } },
        { agent: helper('h'), caveats: { rows: 50 } },
      ],
      { rows: 100 },
    );
    expect(decide(ALL, [select], chain).decision).toMatchObject({ obligations: [{ kind: 'rows', most: 10 }] });
  });
});

describe('an observed target', () => {
  const observed = (text: string, statements: readonly StatementFacts[], chain = person): string => {
    const decision = decide(text, statements, chain).observed;
    return short({ decision, observed: decision });
  };
  it('lets missing permits, holds and labelled columns pass, and keeps masks', () => {
    const uses = (use: 'read' | 'filter'): StatementFacts[] => [read([column('customers.email', use, [email])])];
    expect(observed('', uses('filter'))).toBe('permit');
    expect(observed('', uses('read'))).toBe('permit, email 5');
    expect(observed(`${ALL} @approval("dba") forbid (principal, action, resource);`, uses('read'))).toBe(
      'permit, email 5',
    );
  });

  it('still denies by guardrail, caveat and fault', () => {
    const select = [read([column('customers.email', 'filter', [email])])];
    expect(observed('forbid (principal, action == Action::"select", resource);', select)).toBe('forbidden');
    expect(observed('forbid (principal, action == Action::"filter", resource);', select)).toBe('forbidden');
    expect(observed(ALL, select, chainOf(alice, [{ caveats: { scopes: [] } }]))).toBe('caveat');
    const broken = 'forbid (principal, action, resource) when { context.statement.count * 9223372036854775807 > 1 };';
    expect(observed(broken, [...select, ...select])).toBe('policy-fault');
  });
});

describe('an explanation', () => {
  it('shows the same decision, each question once, and what each identity answered', () => {
    const engine = engineFor(
      `${ALL} @id("tools") forbid (principal is Agent, action, resource) when { principal.kind == "tool" };`,
    );
    const chain = chainOf(alice, [{ agent: agent('ci') }, { agent: helper('h') }]);
    const asked = question(chain, [read([column('customers.email', 'read', [email])])]);
    const explanation = explainSql(engine, asked);
    expect(explanation.decision).toEqual(decideSql(engine, asked).decision);
    expect(explanation.asks.map(({ ask }) => ask.action)).toEqual(['select', 'select', 'reveal']);
    expect(
      explanation.asks[0]?.steps.map(({ identity, decision }) => [identity.name, decision.effect, decision.policies]),
    ).toEqual([
      ['alice@corp', 'permit', ['all']],
      ['ci', 'permit', []],
      ['h', 'deny', ['tools']],
    ]);
  });
});
