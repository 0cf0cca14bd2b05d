import type { Agent } from '../core/agent.ts';
import type { Principal, PrincipalId } from '../core/principal.ts';
import { principalId } from '../core/principal.ts';
import type { Claims } from './jwt.ts';
import type { PeopleProvider, Provider, WorkloadProvider } from './provider.ts';

/** What a verified token of one provider says about its bearer. */
export interface Identity {
  readonly principal: Principal;
  /** The same workload in the part of somebody's agent; absent for people. */
  readonly agent: Agent | undefined;
}

/** Reads verified claims as the provider's rules say, or says in words why they do not fit it. */
export function identify(provider: Provider, claims: Claims): Identity | string {
  if (claims['act'] !== undefined) return 'it carries an act claim: somebody else is acting already';
  const subject = claims['sub'];
  if (typeof subject !== 'string' || !isPlain(subject)) return 'sub is not a plain string';
  return provider.kind === 'people' ? person(provider, claims, subject) : workload(provider, claims, subject);
}

function person(provider: PeopleProvider, claims: Claims, subject: string): Identity | string {
  const audience = audiencesOf(claims);
  const authorized = claims['azp'];
  if (!audience.includes(provider.audience)) return 'aud is not ours';
  if (authorized !== undefined && authorized !== provider.audience) return 'azp is another client';
  if (audience.length > 1 && authorized === undefined) return 'several audiences and no azp';
  // Access, refresh and logout tokens of issuers that give them the header of an ID token (Keycloak, Cognito).
  if (claims['typ'] !== undefined && claims['typ'] !== 'ID') return 'it is not an ID token (typ)';
  if (claims['token_use'] !== undefined && claims['token_use'] !== 'id') return 'it is not an ID token (token_use)';
  if (claims['events'] !== undefined) return 'it is an event token, not an ID token';

  const groups = groupsIn(provider, claims);
  if (typeof groups === 'string') return groups;
  const name = nameIn(provider.nameClaim, claims) ?? subject;
  const principal = { kind: 'user', id: principalId(provider.issuer, subject), name: forPeople(name), groups } as const;
  const manager = managerIn(provider, claims);
  return { principal: manager === undefined ? principal : { ...principal, manager }, agent: undefined };
}

function workload(provider: WorkloadProvider, claims: Claims, subject: string): Identity | string {
  const audience = audiencesOf(claims);
  // A token for several audiences could be replayed here by any of the others.
  if (audience.length !== 1 || audience[0] !== provider.audience) return 'aud is not exactly ours';
  for (const [claim, wanted] of Object.entries(provider.match)) {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (!scalar || String(value) !== wanted) return `claim ${claim} is not the pinned one`;
  }
  const id = principalId(provider.issuer, subject);
  const name = forPeople(subject);
  return {
    principal: { kind: 'workload', id, name, groups: [] },
    agent: {
      id,
      name,
      kind: provider.agent,
      assurance: 'attested',
      class: provider.name,
      rights: provider.rights,
      groups: [],
    },
  };
}

function audiencesOf(claims: Claims): readonly unknown[] {
  const audience = claims['aud'];
  return Array.isArray(audience) ? audience : [audience];
}

const MAX_GROUPS = 1000;

/** All of them or a refusal: a group that was dropped could be one that a forbid names. */
function groupsIn(provider: PeopleProvider, claims: Claims): readonly string[] | string {
  const elsewhere = claims['_claim_names'];
  if (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, provider.groupsClaim)) {
    return 'it has too many groups to list them (distributed claim)';
  }
  const value = Object.hasOwn(claims, provider.groupsClaim) ? claims[provider.groupsClaim] : undefined;
  if (value === undefined || value === null) return [];
  const groups: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (groups.length > MAX_GROUPS) return `it has more than ${MAX_GROUPS} groups`;
  const names = groups.filter((group) => typeof group === 'string').filter(isPlain);
  if (names.length !== groups.length) return 'a group is not a plain string';
  return [...new Set(names)];
}

/** An e-mail address the issuer did not verify could be anybody's, so it is not shown as theirs. */
function nameIn(claim: string, claims: Claims): string | undefined {
  if (claim === 'email' && claims['email_verified'] === false) return undefined;
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  return typeof value === 'string' && isPlain(value) ? value : undefined;
}

function managerIn({ managerClaim, issuer }: PeopleProvider, claims: Claims): PrincipalId | undefined {
  if (managerClaim === undefined || !Object.hasOwn(claims, managerClaim)) return undefined;
  const value = claims[managerClaim];
  return typeof value === 'string' && isPlain(value) ? principalId(issuer, value) : undefined;
}

function isPlain(text: string): boolean {
  return text !== '' && text.length <= 512 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}

/** `>` and parentheses draw the chain in every log line; a name must not be able to draw one of its own. */
function forPeople(name: string): string {
  const safe = name.replace(/[<>()|]/g, '_');
  return safe.length > 120 ? `${safe.slice(0, 119)}…` : safe;
}
