import type { Clock } from '../core/clock.ts';
import type { Json } from '../core/evidence.ts';
import { type Chain, currentOf, describeChain, rootOf } from '../core/grant.ts';
import type { Origin } from '../core/login.ts';
import { toDetails } from './caveats.ts';
import { grantOfPass, standingOf } from './holder.ts';
import { parsePass } from './pass.ts';
import type { GrantStore, StoredGrant } from './ports.ts';
import { effectiveScopes, summarise } from './summary.ts';
import type { Throttle } from './throttle.ts';

export interface IntrospectPorts {
  readonly grants: GrantStore;
  readonly throttle: Throttle;
  readonly clock: Clock;
  /** This gateway's own issuer: its URL. */
  readonly issuer: string;
}

/** RFC 7662. What is not active says nothing else. */
export type Introspection = { readonly active: false } | ({ readonly active: true } & Readonly<Record<string, Json>>);

const INACTIVE: Introspection = { active: false };

/**
 * What a pass stands for. Knowing the pass is the right to ask. Throws Fault LOGIN_THROTTLED and STORE_UNAVAILABLE.
 */
export async function introspect(token: string, origin: Origin, ports: IntrospectPorts): Promise<Introspection> {
  const grant = parsePass(token)?.grant;
  ports.throttle.admit(origin, grant);
  const stored = await grantOfPass(token, ports.grants);
  if (typeof stored !== 'string') return introspectGrant(stored, ports);
  ports.throttle.failed(origin, grant);
  return INACTIVE;
}

/** The same for somebody who may see the grant without its pass; the caller has checked that they may. */
export async function introspectGrant(
  stored: StoredGrant,
  ports: Pick<IntrospectPorts, 'grants' | 'clock' | 'issuer'>,
): Promise<Introspection> {
  const now = ports.clock.now();
  const standing = standingOf(stored, now);
  if (standing === 'revoked' || standing === 'expired') return INACTIVE;

  const { chain } = stored;
  const grant = currentOf(chain);
  const { principal } = grant;
  const usesLeft = await ports.grants.usesLeft(grant.id);
  const scopes = effectiveScopes(chain);
  const act = actClaim(chain);
  return {
    active: true,
    iss: ports.issuer,
    sub: principal.id,
    username: principal.name,
    token_type: 'Bearer',
    jti: grant.id,
    grant_id: grant.id,
    parent_id: grant.parent ?? null,
    txn: grant.transaction,
    iat: Math.floor(grant.createdAt / 1000),
    exp: Math.floor(grant.expires / 1000),
    connect_by: Math.floor(grant.connectBy / 1000),
    delegable: grant.delegable,
    max_depth: grant.maxDepth,
    chain: describeChain(chain),
    summary: summarise(chain, now),
    ...(act ? { act } : {}),
    ...(grant.purpose === undefined ? {} : { purpose: grant.purpose }),
    ...(usesLeft === undefined ? {} : { uses_left: usesLeft }),
    ...(scopes ? { authorization_details: JSON.parse(JSON.stringify(toDetails(scopes))) } : {}),
  };
}

/** RFC 8693 §4.1: the outermost is the current actor, the deepest the first. For people and audit, never for decisions. */
function actClaim(chain: Chain): Json | undefined {
  let act: { readonly [key: string]: Json } | undefined;
  let last = rootOf(chain).agent?.id;
  for (const { agent } of chain.grants) {
    // A grant narrowed for the same agent adds no actor.
    if (!agent || agent.id === last) continue;
    const own = { sub: agent.id, sub_profile: agent.kind, assurance: agent.assurance };
    act = act ? { ...own, act } : own;
    last = agent.id;
  }
  return act;
}
