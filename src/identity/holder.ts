import { type Chain, currentOf } from '../core/grant.ts';
import type { Origin } from '../core/login.ts';
import { parseBlock, within } from '../core/network.ts';
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

/** Whether the `sources` of every grant on the path allow this address. What is no address is allowed by none. */
export function mayComeFrom(chain: Chain, origin: Origin): boolean {
  const client = parseBlock(origin.address.replace(/%[^/]*$/, ''));
  return chain.grants.every(({ caveats: { sources } }) => {
    if (!sources) return true;
    const blocks = sources.map(parseBlock);
    return client !== undefined && blocks.some((block) => block !== undefined && within(client, block));
  });
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
