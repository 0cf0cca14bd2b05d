import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Action } from '../core/action.ts';
import { agentsOf, type Chain } from '../core/grant.ts';
import type { Ask, AskContext } from '../core/policy.ts';
import type { Resource } from '../core/resource.ts';
import { contextOf } from './context.ts';
import { CedarEngine } from './engine.ts';
import { agentIdentity, entitiesOf, type Identity, principalIdentity, resourceUid } from './entities.ts';
import { agent, alice, chainOf, contextWith, helper, loaded } from './testing/chain.ts';

// The engine cuts its policies to slices, projects the context and remembers answers. Beside it, the rules of
// policy.md §1 written down once more with none of that: whole sets, parsed each time.

interface Entry {
  readonly text: string;
  readonly permit: boolean;
  readonly approval?: string;
  /** Named actions that the scope names. */
  readonly names?: readonly Action[];
}

const SCOPES: readonly (readonly [scope: string, names: readonly Action[]])[] = [
  ['action', []],
  ['action == Action::"select"', []],
  ['action in Action::"read"', []],
  ['action in [Action::"write", Action::"reveal"]', ['reveal']],
  ['action == Action::"reveal"', ['reveal']],
];
const RESOURCES = [
  'resource',
  'resource in Target::"shop"',
  'resource in Target::"other"',
  'resource == Table::"shop/shop/public/customers"',
  'resource in Label::"pii"',
  'resource is Column',
  'resource is Table in Schema::"shop/shop/public"',
];
const CONDITIONS = [
  '',
  'when { context.statement.bounded }',
  'when { context.chain.depth > 1 }',
  'when { context has source && context.source.isInRange(ip("10.0.0.0/8")) }',
  'when { context.now.toTime() < duration("12h") }',
  'when { resource.name == "email" }',
  'when { context.statement.count * 9223372036854775807 > 1 }',
  'unless { principal is User }',
];
const PRINCIPALS = ['principal', 'principal in Group::"support"', 'principal is Agent'];

const entry: fc.Arbitrary<Entry> = fc
  .record({
    kind: fc.constantFrom('permit', 'permit', 'forbid', 'soft'),
    principal: fc.constantFrom(...PRINCIPALS),
    action: fc.constantFrom(...SCOPES),
    resource: fc.constantFrom(...RESOURCES),
    condition: fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      { weight: 2, arbitrary: fc.constantFrom(...CONDITIONS) },
    ),
  })
  .map(({ kind, principal, action: [scope, names], resource, condition }) => {
    const effect = kind === 'permit' ? 'permit' : 'forbid';
    const text = `${effect} (${principal}, ${scope}, ${resource}) ${condition};`;
    return kind === 'soft' ? { text, permit: false, approval: 'dba' } : { text, permit: effect === 'permit', names };
  });

const table: Resource = { kind: 'Table', path: ['shop', 'shop', 'public', 'customers'] };
const asks: readonly Ask[] = [
  { action: 'select', resource: table, labels: [] },
  {
    action: 'select',
    resource: { kind: 'Column', path: [...table.path, 'email'] },
    labels: ['pii.email'],
    permitted: true,
  },
  { action: 'reveal', resource: { kind: 'Column', path: [...table.path, 'email'] }, labels: ['pii.email'] },
  { action: 'update', resource: { kind: 'Table', path: ['other', 'x', 'public', 'customers'] }, labels: ['prod'] },
];
const chains: readonly Chain[] = [
  chainOf(alice),
  chainOf(alice, [{ agent: agent('ci') }]),
  chainOf(alice, [{ agent: agent('bot', { rights: 'own', groups: ['support'] }) }, { agent: helper('h') }]),
];
const contexts: readonly AskContext[] = [
  contextWith(),
  contextWith({ now: Date.UTC(2026, 5, 1, 11, 59), source: '::1' }),
  contextWith({ statement: { verb: 'select', bounded: false, count: 2 } }),
];

type Plain = 'permit' | 'hold' | 'no-permit' | 'forbidden' | 'policy-fault';

function evaluate(entries: readonly Entry[], identity: Identity, ask: Ask, context: cedar.Context): cedar.Response {
  const answer = cedar.isAuthorized({
    principal: { ...identity.uid },
    action: { type: 'Action', id: ask.action },
    resource: { ...resourceUid(ask.resource) },
    context,
    policies: { staticPolicies: Object.fromEntries(entries.map(({ text }, index) => [String(index), text])) },
    entities: entitiesOf(identity, ask).map(({ uid, parents, attrs }) => ({
      uid,
      parents: [...parents],
      attrs: { ...attrs },
    })),
  });
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join());
  return answer.response;
}

function plainly(entries: readonly Entry[], chain: Chain, ask: Ask, context: AskContext): Plain {
  const named = ask.action === 'reveal';
  const full = contextOf(chain, alice.id, context) as cedar.Context;
  const answers = [principalIdentity(alice), ...agentsOf(chain).map(agentIdentity)].map((identity): Plain => {
    const needsPermits = identity.brings === 'permits' && !ask.permitted;
    const permits = entries.filter(({ permit, names }) => permit && (!named || names?.includes(ask.action)));
    const universal: Entry = { text: 'permit (principal, action, resource);', permit: true };
    const all = [...entries.filter(({ permit }) => !permit), ...(needsPermits ? permits : [universal])];
    const first = evaluate(all, identity, ask, full);
    if (first.diagnostics.errors.length > 0) return 'policy-fault';
    if (first.decision === 'allow') return 'permit';
    if (first.diagnostics.reason.some((id) => !all[Number(id)]?.approval)) return 'forbidden';
    const guard = evaluate(
      all.filter(({ approval }) => !approval),
      identity,
      ask,
      full,
    );
    if (guard.decision === 'deny') return 'no-permit';
    return 'hold';
  });
  return answers.find((one) => one !== 'permit' && one !== 'hold') ?? answers.find((one) => one === 'hold') ?? 'permit';
}

describe('beside a plain reference', () => {
  it('the engine gives the same answers, asked in any order and again', () => {
    const question = fc.tuple(fc.constantFrom(...chains), fc.constantFrom(...asks), fc.constantFrom(...contexts));
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 6 }),
        fc.array(question, { minLength: 1, maxLength: 8 }),
        (entries, questions) => {
          const texts = entries.map(({ text, approval }) => (approval ? `@approval("${approval}") ${text}` : text));
          const engine = new CedarEngine(loaded(texts.join('\n')));
          for (const [chain, ask, context] of [...questions, ...questions]) {
            const decision = engine.decide(chain, ask, context);
            const answer = decision.effect === 'deny' ? decision.reason : decision.effect;
            expect(answer).toBe(plainly(entries, chain, ask, context));
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});
