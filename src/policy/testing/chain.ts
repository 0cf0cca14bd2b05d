import type { Agent } from '../../core/agent.ts';
import type { Caveats } from '../../core/caveats.ts';
import type { Chain, Grant } from '../../core/grant.ts';
import type { AskContext } from '../../core/policy.ts';
import type { Principal } from '../../core/principal.ts';
import { CedarEngine } from '../engine.ts';
import { type LoadedPolicies, loadPolicies } from '../load.ts';

/** Hand-made chains and engines for tests of this room and of those above it. */

export const alice: Principal = { kind: 'user', id: 'https://id|alice', name: 'alice@corp', groups: ['support'] };

export function agent(name: string, more: Partial<Agent> = {}): Agent {
  const base = {
    id: `https://ci|${name}`,
    name,
    kind: 'ci',
    assurance: 'attested',
    class: 'github',
    groups: [],
  } as const;
  return { ...base, rights: 'delegated', ...more };
}

export function helper(name: string): Agent {
  return agent(name, { id: `parent/${name}`, kind: 'tool', assurance: 'asserted', class: 'asserted' });
}

export interface Hop {
  readonly agent?: Agent;
  readonly caveats?: Caveats;
  readonly purpose?: string;
}

/** A chain of the root principal in person, then one grant for each hop. */
export function chainOf(principal: Principal, hops: readonly Hop[] = [], root: Caveats = {}): Chain {
  const grant = (hop: Hop, index: number): Grant => ({
    id: `grant${index}`,
    parent: index === 0 ? undefined : `grant${index - 1}`,
    path: Array.from({ length: index + 1 }, (_, i) => `grant${i}`),
    principal,
    agent: hop.agent,
    caveats: hop.caveats ?? {},
    createdAt: 0,
    connectBy: 1,
    expires: 1,
    uses: undefined,
    delegable: true,
    maxDepth: 4,
    purpose: hop.purpose,
    transaction: 'transaction',
    login: undefined,
  });
  return { grants: [grant({ caveats: root }, 0), ...hops.map((hop, index) => grant(hop, index + 1))] };
}

export function contextWith(more: Partial<AskContext> = {}): AskContext {
  const statement = { verb: 'select', bounded: true, count: 1 };
  return { statement, binding: 'scram', source: '10.1.2.3', now: Date.UTC(2026, 5, 1, 12), ...more };
}

/** Loads one text; what is wrong with it fails the test. */
export function loaded(text: string, rules: readonly string[] = ['dba', 'dpo']): LoadedPolicies {
  const result = loadPolicies([{ name: 'p.cedar', text }], { rules });
  if ('problems' in result) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return result;
}

export function engineFor(text: string): CedarEngine {
  return new CedarEngine(loaded(text));
}
