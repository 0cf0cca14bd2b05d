import { createHash } from 'node:crypto';
import type { Agent } from '../core/agent.ts';
import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import type { Principal } from '../core/principal.ts';
import { identify } from './claims.ts';
import { type Claims, claimedIssuer, type Fetch, IssuerKeys } from './jwt.ts';
import { checkProvider, type Provider } from './provider.ts';
import { tokenFault } from './token-fault.ts';

/** What a token proved. The token itself is kept nowhere. */
export interface VerifiedToken {
  readonly provider: string;
  readonly kind: Provider['kind'];
  readonly principal: Principal;
  /** The workload as an agent; absent for people. */
  readonly agent: Agent | undefined;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expires: number;
  /** The issuer's session (`sid`), so that a logout there can reach what came from it. */
  readonly session: string | undefined;
  /** `jti`, for the audit log. */
  readonly tokenId: string | undefined;
}

/** Checks tokens of identity providers. */
export interface TokenVerifier {
  /** Throws Fault TOKEN_INVALID: one message outside, the reason inside. */
  verify(token: string, kind: Provider['kind'] | 'any'): Promise<VerifiedToken>;
  /** Kinds of agents that providers attest to; no asserted agent may call itself one of these. */
  kinds(): ReadonlySet<string>;
}

export interface ProvidersOptions {
  readonly clock: Clock;
  readonly fetch?: Fetch;
  /** Milliseconds between two readings of an issuer's keys. */
  readonly cooldown?: number;
}

/** The configured identity providers. Several may share an issuer; exactly one must accept a token. */
export class Providers implements TokenVerifier {
  readonly #options: ProvidersOptions;
  readonly #keys = new Map<string, IssuerKeys>();
  readonly #inFlight = new Map<string, Promise<VerifiedToken>>();
  #providers: readonly Provider[] = [];

  /** Throws Fault CONFIG_INVALID. */
  constructor(providers: readonly Provider[], options: ProvidersOptions) {
    this.#options = options;
    this.replace(providers);
  }

  /** Takes effect for the next token. Throws Fault CONFIG_INVALID and then changes nothing. */
  replace(providers: readonly Provider[]): void {
    for (const provider of providers) checkProvider(provider);
    if (new Set(providers.map(({ name }) => name)).size < providers.length) {
      throw new Fault('CONFIG_INVALID', 'two identity providers have the same name');
    }
    this.#providers = [...providers];
    this.#inFlight.clear();
  }

  kinds(): ReadonlySet<string> {
    return new Set(this.#providers.flatMap((provider) => (provider.kind === 'workload' ? [provider.agent] : [])));
  }

  verify(token: string, kind: Provider['kind'] | 'any'): Promise<VerifiedToken> {
    const key = `${kind} ${createHash('sha256').update(token).digest('base64')}`;
    const running = this.#inFlight.get(key);
    if (running) return running;
    const started = this.#verify(token, kind).finally(() => {
      if (this.#inFlight.get(key) === started) this.#inFlight.delete(key);
    });
    this.#inFlight.set(key, started);
    return started;
  }

  async #verify(token: string, kind: Provider['kind'] | 'any'): Promise<VerifiedToken> {
    const issuer = claimedIssuer(token);
    if (issuer === undefined) throw tokenFault('not a plain JWT with an issuer');
    const candidates = this.#providers.filter(
      (provider) => provider.issuer === issuer && (kind === 'any' || provider.kind === kind),
    );
    if (candidates.length === 0) throw tokenFault('no provider of this kind has this issuer');
    const audiences = candidates.map(({ audience }) => audience);
    const claims = await this.#keysOf(issuer).verify(token, audiences);
    return oneFit(candidates, claims);
  }

  #keysOf(issuer: string): IssuerKeys {
    const known = this.#keys.get(issuer);
    if (known) return known;
    const { clock, fetch = globalThis.fetch, cooldown = 30_000 } = this.#options;
    const keys = new IssuerKeys(issuer, { clock, fetch, cooldown });
    this.#keys.set(issuer, keys);
    return keys;
  }
}

/** With two that fit, which class and rights the bearer has would depend on their order in a file. */
function oneFit(candidates: readonly Provider[], claims: Claims): VerifiedToken {
  const reasons: string[] = [];
  const fits: VerifiedToken[] = [];
  for (const provider of candidates) {
    const identity = identify(provider, claims);
    if (typeof identity === 'string') reasons.push(`${provider.name}: ${identity}`);
    else {
      fits.push({
        provider: provider.name,
        kind: provider.kind,
        ...identity,
        issuedAt: Number(claims['iat']) * 1000,
        expires: Number(claims['exp']) * 1000,
        session: plainText(claims['sid']),
        tokenId: plainText(claims['jti']),
      });
    }
  }
  const [fit, ...others] = fits;
  if (!fit) throw tokenFault(reasons.join('; '));
  if (others.length > 0)
    throw tokenFault(`more than one provider accepts it: ${fits.map((f) => f.provider).join(', ')}`);
  return fit;
}

function plainText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 512 ? value : undefined;
}
