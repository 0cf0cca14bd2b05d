import { describe, expect, it } from 'vitest';
import { loadPolicies } from './load.ts';
import { loaded } from './testing/chain.ts';

function problems(text: string, rules: readonly string[] = ['dba']): string[] {
  const result = loadPolicies([{ name: 'p.cedar', text }], { rules });
  if (!('problems' in result)) return [];
  return result.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

describe('loading policies', () => {
  it('names each by its id or its place, and keeps what it says', () => {
    const { policies } = loaded(`// who reads; what
@id("readers") @reason("they; may")
permit (principal, action == Action::"select", resource) when { resource.name != "a;b" }; // ; here too
@approval("dba")
forbid (principal, action, resource in Label::"prod"); forbid (principal, action == Action::"ddl", resource);`);
    expect(policies.map(({ id, line, approval, reason }) => ({ id, line, approval, reason }))).toEqual([
      { id: 'readers', line: 2, approval: undefined, reason: 'they; may' },
      { id: 'p.cedar#2', line: 4, approval: 'dba', reason: undefined },
      { id: 'p.cedar#3', line: 5, approval: undefined, reason: undefined },
    ]);
  });

  it.each([
    ['text that is not a policy', 'permit (principal, action, resource)\nwhen { 1 ++ 2 };', /^2:11 unexpected token/],
    [
      'a byte offset after wide characters',
      '// é\npermit (principal, action, resource) when { "éé😀" ++ 1 };',
      /^2:53 unexpected/,
    ],
    ['what is left after the last policy', 'permit (principal, action, resource);\n  rest', /^2:7 unexpected end/],
    ['an open string', 'permit (principal, action, resource) when { "a };', /^1:/],
    ['an unknown context attribute', 'forbid (principal, action, resource) when { context.statement.nope };', /nope/],
    ['an unknown action', 'forbid (principal, action == Action::"slect", resource);', /slect/],
    ['an unknown type', 'forbid (principal in Grup::"x", action, resource);', /Grup/],
    [
      'an optional attribute read without has',
      'forbid (principal, action, resource) when { context.chain.purpose == "x" };',
      /purpose/,
    ],
    [
      'an address read without has',
      'forbid (principal, action, resource) when { context.source.isLoopback() };',
      /source/,
    ],
    ['a template', 'permit (principal == ?principal, action, resource);', /template/],
    ['an approval on a permit', '@approval("dba") permit (principal, action, resource);', /belongs on a forbid/],
    [
      'an approval of no rule',
      '@approval("nobody") forbid (principal, action, resource);',
      /names no approval rule; the rules are dba/,
    ],
    ['an empty approval', '@approval forbid (principal, action, resource);', /names no approval rule/],
    ['a misspelt annotation', '@aproval("dba") forbid (principal, action, resource);', /@aproval is not an annotation/],
    ['an id of the engine', '@id("sallyport:universal") permit (principal, action, resource);', /must not start with/],
    ['an id that looks like a place', '@id("p.cedar#1") permit (principal, action, resource);', /must be letters/],
    [
      'an id used twice',
      '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);',
      /^2:1 the id "a" is already taken by p.cedar:1/,
    ],
    ['two annotations of a name', '@id("a") @id("b") permit (principal, action, resource);', /duplicate annotation/],
  ])('refuses %s', (_name, text, expected) => {
    const found = problems(text);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toMatch(expected);
  });

  it('tells every problem of every file at once, and loads nothing', () => {
    const result = loadPolicies(
      [
        { name: 'a.cedar', text: 'permit (principal, action, resource);' },
        {
          name: 'b.cedar',
          text: '@x permit (principal, action, resource);\nforbid (principal, action, resource) when { 1 };',
        },
      ],
      { rules: [] },
    );
    expect(result).toMatchObject({
      problems: [
        { file: 'b.cedar', line: 1 },
        { file: 'b.cedar', line: 2 },
      ],
    });
  });

  describe('that could be the end of the engine', () => {
    const when = (body: string): string => `permit (principal, action, resource) when { ${body} };`;
    it.each([
      ['brackets', (n: number) => when(`${'('.repeat(n)}true${')'.repeat(n)}`), 40],
      ['sets', (n: number) => when(`${'['.repeat(n)}${']'.repeat(n)} == []`), 0],
      ['records', (n: number) => when(`${'{a: '.repeat(n)}1${'}'.repeat(n)} has a`), 40],
      ['sums', (n: number) => when(`context.statement.count == ${'1 + '.repeat(n)}1`), 100],
      ['attributes', (n: number) => when(`{a: 1} has ${'a.'.repeat(n)}a`), 100],
      ['choices', (n: number) => when(`${'if true then true else '.repeat(n)}true`), 100],
      ['conjunctions', (n: number) => when(`${'true && '.repeat(n)}true`), 500],
      ['a list', (n: number) => when(`[${'"x.y", '.repeat(n)}"y"].contains("z")`), 3000],
      ['brackets in a string', (n: number) => when(`"${'('.repeat(n)}" == ""`), 3000],
      ['brackets in a comment', (n: number) => when(`true // ${'('.repeat(n)}\n`), 3000],
      ['closing brackets', (n: number) => `${')'.repeat(n)};`, 0],
    ])('%s', (name, policy, most) => {
      if (most > 0) expect(problems(policy(most)).join()).not.toMatch(/too deeply/);
      if (most < 3000) expect(problems(policy(20_000)).join(), name).toMatch(/^1:1 is nested too deeply/);
      expect(problems(when('true'))).toEqual([]);
    });
  });

  it('accepts every attribute the schema offers', () => {
    expect(
      problems(`forbid (principal is Agent, action, resource) when {
        principal.kind == "ai" && principal.class == "github" && principal.assurance == "asserted" };
      forbid (principal, action in [Action::"read", Action::"write"], resource) when {
        context.statement.verb == "select" || context.statement.bounded || context.statement.count > 1 ||
        context.chain.root == "a" || context.chain.actor == "a" || context.chain.depth > 3 ||
        context.chain.agents.contains("a") || context.chain.kinds.contains("ai") ||
        context.chain.classes.containsAny(["github"]) || context.chain.weakest == "asserted" ||
        context.chain.binding == "bearer" || (context.chain has purpose && context.chain.purpose like "JIRA-*") ||
        (context has source && context.source.isInRange(ip("10.0.0.0/8"))) ||
        context.now > datetime("2026-01-01") || resource.name like "*ssn*" };`),
    ).toEqual([]);
  });
});
