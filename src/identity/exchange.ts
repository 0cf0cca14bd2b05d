/**
 * The identity room: who somebody is, and what they may hand on. It verifies tokens of identity providers
 * (providers.ts), gives out passes for nodes of the delegation tree (this file), and lets their holders log in
 * (authenticator.ts). The tree lives in the store (ports.ts); safety lives in evaluation: every caveat, clock and
 * revocation on the path counts at each use, so nothing here is trusted to have shrunk a right for ever.
 *
 * It refuses to be: a policy (whoever is known may hold a pass; what the pass is good for, policy decides), a keeper
 * of tokens (they are verified and dropped), and a maker of people out of machines (a CI claim never becomes a user).
 *
 * A CI job's token may be exchanged several times within its life: a job has several steps, and each exchange under a
 * pass needs that pass as well. Every use is in the audit log with the token's id.
 */
import type { Agent } from '../core/agent.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Json } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';
import { type Chain, currentOf, type Grant, rootOf } from '../core/grant.ts';
import { newId } from '../core/id.ts';
import type { Origin } from '../core/login.ts';
import { type AuthorizationDetail, toDetails } from './caveats.ts';
import { type AuditSink, chainFields, eventOf, grantFields, originFields } from './event.ts';
import { type AskedActor, type ExchangeRequest, readExchange } from './exchange-request.ts';
import { grantOfPass, mayComeFrom, standingOf } from './holder.ts';
import { isOAuthError, type OAuthError, oauthError } from './oauth-error.ts';
import { overtaken } from './overtaken.ts';
import { makeVerifier, mintPass, parsePass } from './pass.ts';
import type { GrantStore } from './ports.ts';
import { ASSERTED_CLASS } from './provider.ts';
import type { TokenVerifier, VerifiedToken } from './providers.ts';
import { effectiveScopes, summarise } from './summary.ts';
import { childTerms, type Lifetimes, rootTerms, type Terms } from './terms.ts';
import type { Throttle } from './throttle.ts';
import { reasonOf } from './token-fault.ts';

export interface ExchangePorts {
  readonly grants: GrantStore;
  readonly providers: TokenVerifier;
  readonly audit: AuditSink;
  readonly throttle: Throttle;
  readonly clock: Clock;
  readonly random: Random;
  readonly lifetimes: Lifetimes;
}

/** A grant that was issued and recorded. `pass` exists only here. */
export interface IssuedPass {
  readonly pass: string;
  readonly chain: Chain;
  /** What is left of the ancestors' limits and its own; absent where targets are not limited. */
  readonly details: readonly AuthorizationDetail[] | undefined;
  readonly summary: string;
}

/**
 * RFC 8693: a token, or a pass and an actor, for a pass. Issues and refusals are in the audit log before this
 * answers. Throws Fault STORE_UNAVAILABLE and EVIDENCE_UNWRITABLE; then no pass was given out.
 */
export async function exchange(
  form: URLSearchParams,
  origin: Origin,
  ports: ExchangePorts,
): Promise<IssuedPass | OAuthError> {
  const subject = parsePass(form.get('subject_token') ?? '');
  // Not in the audit log: a flood of refusals must not become a flood of events.
  if (ports.throttle.closed(origin, subject?.grant)) {
    return oauthError('slow_down', 'too many requests were refused; wait a minute, then try again');
  }
  const request = readExchange(form);
  if (isOAuthError(request)) {
    ports.throttle.failed(origin);
    return refuse(request, {}, origin, ports);
  }
  return request.subject.kind === 'pass' ? issueChild(request, origin, ports) : issueRoot(request, origin, ports);
}

async function issueRoot(
  request: ExchangeRequest,
  origin: Origin,
  ports: ExchangePorts,
): Promise<IssuedPass | OAuthError> {
  if (request.actor) {
    const message = 'exchange this token for a pass first; an actor is named under a pass';
    return refuse(oauthError('invalid_request', message), {}, origin, ports);
  }
  const token = await verified(
    request.subject.token,
    request.subject.kind === 'id-token' ? 'people' : 'workload',
    ports,
  );
  if (typeof token === 'string') {
    ports.throttle.failed(origin);
    return refuse(oauthError('invalid_request', 'subject_token is not accepted'), { detail: token }, origin, ports);
  }
  // A person's login outlives the ID token, up to the cap; a workload is gone when its token is.
  const until = token.kind === 'people' ? undefined : token.expires;
  const terms = rootTerms(request, ports.clock.now(), until, ports.lifetimes);
  if (Array.isArray(terms)) {
    return refuse(oauthError('invalid_request', terms.join('; '), terms), {}, origin, ports);
  }
  const id = newId(ports.clock, ports.random);
  const root = rootGrant(token, { id, caveats: request.caveats, purpose: request.purpose, ...terms }, ports);
  return insert({ grants: [root] }, token, origin, ports);
}

/** The root grant of whom the token names. */
export function rootGrant(
  token: VerifiedToken,
  asked: Pick<Grant, 'id' | 'caveats' | 'purpose'> & Terms,
  ports: Pick<ExchangePorts, 'clock' | 'random'>,
): Grant {
  return {
    ...asked,
    parent: undefined,
    path: [asked.id],
    principal: token.principal,
    agent: undefined,
    createdAt: ports.clock.now(),
    transaction: newId(ports.clock, ports.random),
    login: { provider: token.provider, session: token.session },
  };
}

async function issueChild(
  request: ExchangeRequest,
  origin: Origin,
  ports: ExchangePorts,
): Promise<IssuedPass | OAuthError> {
  const parent = await parentOf(request.subject.token, origin, ports);
  if (typeof parent === 'string') {
    ports.throttle.failed(origin, parsePass(request.subject.token)?.grant);
    const message = 'subject_token is unknown, wrong, expired or revoked';
    return refuse(oauthError('invalid_request', message), { detail: parent }, origin, ports);
  }
  const about = chainFields(parent);
  const above = currentOf(parent);
  if (!above.delegable || above.maxDepth < 1) {
    return refuse(oauthError('invalid_request', 'this pass may not delegate'), about, origin, ports);
  }
  const acting = await actorOf(request.actor, above, ports);
  if ('problem' in acting) {
    ports.throttle.failed(origin);
    return refuse(oauthError('invalid_request', acting.problem), { ...about, detail: acting.reason }, origin, ports);
  }
  const now = ports.clock.now();
  const usesLeft = await fewestUses(parent, ports.grants);
  const { agent } = acting;
  const terms = childTerms(request, parent, { now, agent, usesLeft, lifetimes: ports.lifetimes });
  if (Array.isArray(terms)) {
    const description = `more than the parent's pass has: ${terms.join('; ')}`;
    return refuse(oauthError('invalid_authorization_details', description, terms), about, origin, ports);
  }
  const id = newId(ports.clock, ports.random);
  const child: Grant = {
    id,
    parent: above.id,
    path: [...above.path, id],
    principal: rootOf(parent).principal,
    agent,
    caveats: request.caveats,
    createdAt: now,
    ...terms,
    purpose: request.purpose,
    transaction: rootOf(parent).transaction,
    login: rootOf(parent).login,
  };
  return insert({ grants: [...parent.grants, child] }, acting.token, origin, ports);
}

/** The chain of a pass that may open sessions now, or why not. */
async function parentOf(pass: string, origin: Origin, ports: ExchangePorts): Promise<Chain | string> {
  const stored = await grantOfPass(pass, ports.grants);
  if (typeof stored === 'string') return stored;
  const standing = standingOf(stored, ports.clock.now());
  if (standing !== 'good') return standing;
  // A stolen pass must not become a fresh one elsewhere.
  return mayComeFrom(stored.chain, origin) ? stored.chain : 'from an address it is not for';
}

type Acting = { readonly agent: Agent | undefined; readonly token: VerifiedToken | undefined };

async function actorOf(
  asked: AskedActor | undefined,
  above: Grant,
  ports: ExchangePorts,
): Promise<Acting | { readonly problem: string; readonly reason: string }> {
  if (!asked) return { agent: above.agent, token: undefined };
  if (asked.kind === 'token') {
    const token = await verified(asked.token, 'workload', ports);
    if (typeof token === 'string') return { problem: 'actor_token is not accepted', reason: token };
    return { agent: token.agent, token };
  }
  if (ports.providers.kinds().has(asked.agentKind)) {
    const problem = `actor: kind ${asked.agentKind} is for agents with a token of their own; choose another`;
    return { problem, reason: 'asserted kind of a provider' };
  }
  const agent: Agent = {
    id: `${above.id}/${asked.name}`,
    name: asked.name,
    kind: asked.agentKind,
    assurance: 'asserted',
    class: ASSERTED_CLASS,
    rights: 'delegated',
    groups: [],
  };
  return { agent, token: undefined };
}

/** The token, or why it does not verify (for the log). */
async function verified(
  token: string,
  kind: 'people' | 'workload',
  ports: ExchangePorts,
): Promise<VerifiedToken | string> {
  try {
    return await ports.providers.verify(token, kind);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'TOKEN_INVALID') return reasonOf(thrown);
    throw thrown;
  }
}

async function fewestUses(chain: Chain, grants: GrantStore): Promise<number | undefined> {
  const finite = chain.grants.filter(({ uses }) => uses !== undefined);
  const left = await Promise.all(finite.map(({ id }) => grants.usesLeft(id)));
  const known = left.filter((count) => count !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

async function insert(
  chain: Chain,
  proof: VerifiedToken | undefined,
  origin: Origin,
  ports: ExchangePorts,
): Promise<IssuedPass | OAuthError> {
  const grant = currentOf(chain);
  const pass = mintPass(grant.id, ports.random);
  const secret = parsePass(pass)?.secret;
  if (secret === undefined) throw new Fault('INTERNAL', 'a fresh pass does not parse');
  try {
    await ports.grants.insert(grant, await makeVerifier(secret, ports.random));
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'GRANT_INVALID') throw thrown;
    return refuse(
      oauthError('invalid_request', thrown.message),
      { ...chainFields(chain), grant: grant.parent },
      origin,
      ports,
    );
  }
  // A principal, agent or login may be revoked: what grows from it now is dead already.
  const stored = await ports.grants.load(grant.id);
  if (!stored || stored.revoked) {
    const error = oauthError('invalid_request', 'the subject or the actor is revoked');
    return refuse(error, { ...chainFields(chain), detail: 'revoked' }, origin, ports);
  }
  const why = proof && (await overtaken(proof, ports.grants));
  if (why !== undefined) {
    const error = oauthError('invalid_request', 'something was revoked since this token was issued: get a new one');
    return refuse(error, { ...chainFields(chain), detail: `${why} after it was issued` }, origin, ports);
  }
  // After the insert: an event for a grant that was never made would be a lie; a grant whose pass nobody got is no risk.
  const fields = { ...chainFields(chain), ...grantFields(grant), token_id: proof?.tokenId, ...originFields(origin) };
  await ports.audit.audit(eventOf('grant.issued', ports.clock, fields));
  const scopes = effectiveScopes(chain);
  return { pass, chain, details: scopes && toDetails(scopes), summary: summarise(chain, ports.clock.now()) };
}

async function refuse(
  error: OAuthError,
  about: Record<string, Json | undefined>,
  origin: Origin,
  ports: ExchangePorts,
): Promise<OAuthError> {
  const fields = { ...about, reason: error.error, message: error.description, details: [...error.details] };
  await ports.audit.audit(eventOf('grant.refused', ports.clock, { ...fields, ...originFields(origin) }));
  return error;
}
