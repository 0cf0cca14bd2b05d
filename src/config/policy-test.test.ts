import { describe, expect, it } from 'vitest';
import { readPolicyTests } from './policy-test.ts';
import { formatProblem } from './problem.ts';

const context = {
  file: 'policies/x.test.yaml',
  targetLabels: (target: string) => (target === 'shop' ? ['prod'] : []),
  now: Date.parse('2026-10-01T12:00:00Z'),
};

function read(...lines: string[]) {
  const { tests, problems } = readPolicyTests(lines.map((line) => `- { name: t, ${line} }`).join('\n'), context);
  return { tests, problems: problems.map(formatProblem) };
}

describe('a policy test', () => {
  it('names a resource as policies do, and brings the target’s labels along', () => {
    const { tests, problems } = read(
      'as: { name: alice }, action: select, resource: "shop/shop/public/a%2Fb", labels: [pii], expect: permit',
      'as: { name: alice }, action: execute, resource: shop/shop/public/f, function: true, expect: deny',
      'as: { name: alice }, action: gateway-admin, expect: deny',
    );
    expect(problems).toEqual([]);
    expect(tests.map((test) => test.ask)).toEqual([
      {
        action: 'select',
        resource: { kind: 'Table', path: ['shop', 'shop', 'public', 'a/b'] },
        labels: ['pii', 'prod'],
      },
      { action: 'execute', resource: { kind: 'Function', path: ['shop', 'shop', 'public', 'f'] }, labels: ['prod'] },
      undefined,
    ]);
  });

  it('builds the chain of its agents, asserted ones under their parent', () => {
    const agents =
      'agents: [{ name: job, kind: ci, assurance: attested }, { name: h, kind: tool, assurance: asserted }]';
    const { tests } = read(
      `as: { name: alice, groups: [a], ${agents} }, action: connect, resource: shop, context: { purpose: x }, expect: permit`,
    );
    const grants = tests[0]?.chain.grants ?? [];
    expect(grants.map((grant) => [grant.path.length, grant.agent?.id, grant.purpose])).toEqual([
      [1, undefined, undefined],
      [2, 'job', undefined],
      [3, 'test-0/h', 'x'],
    ]);
  });

  it.each([
    ['no resource', 'as: { name: a }, action: select, expect: deny', 'needs a resource'],
    ['an empty part', 'as: { name: a }, action: select, resource: shop//x, expect: deny', 'needs a resource'],
    [
      'a part that is not encoded as it must be',
      'as: { name: a }, action: select, resource: "shop/%41", expect: deny',
      'needs a resource',
    ],
    ['too many parts', 'as: { name: a }, action: select, resource: a/b/c/d/e/f, expect: deny', 'needs a resource'],
    [
      'a resource on the gateway',
      'as: { name: a }, action: gateway-admin, resource: x, expect: deny',
      'not for actions on the gateway',
    ],
    [
      'a time that is none',
      'as: { name: a }, action: connect, resource: shop, context: { at: noon }, expect: deny',
      'date and time',
    ],
    ['an unknown action', 'as: { name: a }, action: selct, resource: shop, expect: deny', 'did you mean "select"'],
    [
      'an unknown key',
      'as: { name: a, grps: [x] }, action: connect, resource: shop, expect: deny',
      'did you mean "groups"',
    ],
  ])('with %s is a problem at its place', (_name, line, said) => {
    const { problems } = read(line);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^policies\/x\.test\.yaml:1:\d+ /);
    expect(problems[0]).toContain(said);
  });
});
