import type { Agent, Assurance } from './agent.ts';
import { weakest } from './agent.ts';
import type { Caveats } from './caveats.ts';
import { type RevocationSubject, strikeKey } from './feed.ts';
import type { Principal } from './principal.ts';

/**
 * A node of the delegation tree. Rights only ever shrink from parent to child: a child stores its own caveats, and
 * every caveat on the path is ANDed at each use. Times are milliseconds since the epoch.
 */
export interface Grant {
  readonly id: string;
  readonly parent: string | undefined;
  /** Ids from the root to this grant, this one last. */
  readonly path: readonly string[];
  /** The root principal: the same on every grant of a tree. */
  readonly principal: Principal;
  /** Who acts. Absent only where the principal acts in person. */
  readonly agent: Agent | undefined;
  readonly caveats: Caveats;
  readonly createdAt: number;
  /** Where the feed was when the store took it in: what was revoked and lifted before does not strike it. */
  readonly born?: number;
  /** Sessions may be opened until then. */
  readonly connectBy: number;
  /** Rights end then; never later than the parent's. */
  readonly expires: number;
  /** Statements this grant may run in all; absent: no limit of its own. The count left lives in the store. */
  readonly uses: number | undefined;
  /** Whether it may have children, and how deep the tree below it may grow (0: none). */
  readonly delegable: boolean;
  readonly maxDepth: number;
  readonly purpose: string | undefined;
  /** One id for everything that follows from one login. */
  readonly transaction: string;
  /** The identity provider and its session, so that a logout there ends this. */
  readonly login: { readonly provider: string; readonly session: string | undefined } | undefined;
}

/** Hard cap on the depth of a delegation tree, the root counting 0. */
export const MAX_DEPTH = 8;

/** The grants from the root to the current one. Never empty. */
export interface Chain {
  readonly grants: readonly [Grant, ...Grant[]];
}

export function rootOf(chain: Chain): Grant {
  return chain.grants[0];
}

export function currentOf(chain: Chain): Grant {
  return chain.grants.at(-1) ?? chain.grants[0];
}

export function agentsOf(chain: Chain): Agent[] {
  return chain.grants.flatMap((grant) => (grant.agent ? [grant.agent] : []));
}

export function weakestOf(chain: Chain): Assurance {
  return weakest(agentsOf(chain).map((agent) => agent.assurance));
}

/** `alice@corp.example > ci deploy (attested) > helper (asserted)`: for people; ids are in the audit log. */
export function describeChain(chain: Chain): string {
  const agents = agentsOf(chain).map((agent) => `${agent.name} (${agent.assurance})`);
  return [rootOf(chain).principal.name, ...agents].join(' > ');
}

/** What the revocation of ends a grant, and when the oldest grant of a chain that stands on it was born. */
export interface Foothold {
  readonly subject: RevocationSubject;
  readonly born: number | undefined;
}

/** Everything a chain stands on, each once, with the age of the first grant that does. */
export function footholdsOf(chain: Chain): Foothold[] {
  const found = new Map<string, Foothold>();
  for (const grant of chain.grants) {
    for (const subject of subjectsOf(grant)) {
      const key = strikeKey(subject);
      if (!found.has(key)) found.set(key, { subject, born: grant.born });
    }
  }
  return [...found.values()];
}

function subjectsOf({ id, principal, agent, login }: Grant): RevocationSubject[] {
  return [
    { kind: 'grant', id },
    { kind: 'principal', id: principal.id },
    ...principal.groups.map((group) => ({ kind: 'membership', id: principal.id, group }) as const),
    ...(agent === undefined ? [] : [{ kind: 'agent', id: agent.id } as const]),
    ...(login?.session === undefined ? [] : [{ kind: 'login', id: `${login.provider}|${login.session}` } as const]),
  ];
}
