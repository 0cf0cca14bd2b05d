import { currentOf } from '../core/grant.ts';
import { matches, parsePass } from './pass.ts';
import type { GrantStore, StoredGrant } from './ports.ts';

/** How a grant stands at a moment. `closed`: its rights go on, but no session may be opened any more. */
export type Standing = 'good' | 'closed' | 'expired' | 'revoked';

/** The worst of every grant on the path: a child never outlives anything above it, whatever its own row says. */
export function standingOf(stored: StoredGrant, now: number): Standing {
  const { grants } = stored.chain;
  if (stored.revoked) return 'revoked';
  if (grants.some(({ expires }) => now >= expires)) return 'expired';
  if (grants.some(({ connectBy }) => now >= connectBy)) return 'closed';
  return 'good';
}

/** Why a pass is not its holder's proof; for the log only. */
export type PassProblem = 'malformed' | 'unknown or wrong';

/**
 * The grant a pass stands for, whatever its standing. A known id with a wrong secret and an unknown id take the same
 * steps and give the same answer.
 */
export async function grantOfPass(text: string, grants: GrantStore): Promise<StoredGrant | PassProblem> {
  const pass = parsePass(text);
  if (!pass) return 'malformed';
  const verifier = await grants.verifier(pass.grant);
  if (!matches(pass.secret, verifier)) return 'unknown or wrong';
  const stored = await grants.load(pass.grant);
  return stored && currentOf(stored.chain).id === pass.grant ? stored : 'unknown or wrong';
}
