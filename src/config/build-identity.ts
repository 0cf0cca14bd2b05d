import { isProtected } from './address.ts';
import type { ProviderConfig } from './config.ts';
import type { Notes } from './notes.ts';
import type { Entry, Path } from './problem.ts';
import type { RawProvider } from './schema/identity.ts';

const PEOPLE_ONLY = ['groups_claim', 'name_claim', 'manager_claim'] as const;
const WORKLOAD_ONLY = ['match', 'agent', 'rights'] as const;

/** Claims that say who a token is for and how long, not who it is about: pinning one of them pins nobody. */
const NOT_PINS: readonly string[] = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti'];

export function buildProviders(raw: readonly Entry<RawProvider>[], notes: Notes): readonly ProviderConfig[] {
  const providers = raw.map(({ entry, path }) => ({ provider: buildProvider(entry, path, notes), path }));
  notes.unique(providers.map(({ provider, path }) => ({ name: provider.name, path: [...path, 'name'] })));

  const seen = new Map<string, string>();
  for (const { provider, path } of providers) {
    const { kind, issuer, audience } = provider;
    const pins = kind === 'workload' ? Object.entries(provider.match).toSorted(([a], [b]) => (a < b ? -1 : 1)) : [];
    const key = JSON.stringify([issuer, audience, pins]);
    const other = seen.get(key);
    if (other !== undefined)
      notes.error(path, `accepts the same tokens as "${other}"; one of them would never be asked`);
    seen.set(key, provider.name);
  }
  return providers.map(({ provider }) => provider);
}

function buildProvider(raw: RawProvider, path: Path, notes: Notes): ProviderConfig {
  const { name, issuer, audience } = raw;
  if (name === 'asserted') notes.error([...path, 'name'], 'is reserved for agents that a parent vouches for');
  if (issuer.includes('|') || !URL.canParse(issuer) || !isProtected(new URL(issuer))) {
    notes.error([...path, 'issuer'], 'must be an https:// address (http:// only on loopback)');
  } else if (new URL(issuer).search !== '' || new URL(issuer).hash !== '') {
    notes.error([...path, 'issuer'], 'must have no query and no fragment');
  }
  for (const key of raw.kind === 'people' ? WORKLOAD_ONLY : PEOPLE_ONLY) {
    if (raw[key] !== undefined) notes.error([...path, key], `is not for a provider of kind ${raw.kind}`);
  }
  if (raw.kind === 'people') {
    return {
      kind: 'people',
      name,
      issuer,
      audience,
      groupsClaim: raw.groups_claim ?? 'groups',
      nameClaim: raw.name_claim ?? 'email',
      ...(raw.manager_claim === undefined ? {} : { managerClaim: raw.manager_claim }),
    };
  }
  const match = Object.entries(raw.match ?? {}).map(([claim, value]): [string, string] => [claim, String(value)]);
  if (match.every(([claim]) => NOT_PINS.includes(claim))) {
    const where = raw.match === undefined ? path : [...path, 'match'];
    notes.error(
      where,
      'must pin at least one claim about the workload in "match", else anybody with an account there gets in',
    );
  }
  if (raw.agent === undefined) notes.error(path, 'must have "agent": what policies call this kind of workload');
  return {
    kind: 'workload',
    name,
    issuer,
    audience,
    match: Object.fromEntries(match),
    agent: raw.agent ?? name,
    rights: raw.rights ?? 'delegated',
  };
}
