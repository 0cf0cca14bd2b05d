import { createRemoteJWKSet, customFetch, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { Clock } from '../core/clock.ts';
import { isLoopbackHttp } from './provider.ts';
import { tokenFault } from './token-fault.ts';

/** The one wrapper of `jose`: signatures, times and audience of JSON Web Tokens, with keys found by discovery. */

export type Claims = Readonly<Record<string, unknown>>;

/** As the global one, of which this is the part that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Asymmetric only: with a MAC among them, a public key could be passed off as a shared secret. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Characters; tokens with hundreds of groups stay below, and a hostile one costs little. */
export const MAX_TOKEN: number = 16 * 1024;

/** Seconds another machine's clock may be off. */
export const SKEW = 30;

/** Header `typ` of plain JWTs. Logout tokens, access tokens and proofs carry another and are not what we take. */
const PLAIN_TYPES = [undefined, 'jwt', 'jose'];

const MAX_DOCUMENT = 256 * 1024;
const TIMEOUT = 5_000;

/** True for text that is built like a JWT. Says nothing about whether it is one. */
export function looksLikeJwt(text: string): boolean {
  return text.length <= MAX_TOKEN && /^[\w-]{2,}\.[\w-]{2,}\.[\w-]{2,}$/.test(text);
}

/** The issuer a token claims to come from. Unverified: good for choosing whose keys to try, and nothing else. */
export function claimedIssuer(token: string): string | undefined {
  if (!looksLikeJwt(token)) return undefined;
  try {
    const { typ } = decodeProtectedHeader(token);
    if (!PLAIN_TYPES.includes(typ?.toLowerCase().replace(/^application\//, ''))) return undefined;
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

export interface KeyOptions {
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** Milliseconds between two readings of the keys when a token names an unknown one. */
  readonly cooldown: number;
}

type KeySet = ReturnType<typeof createRemoteJWKSet>;

/** The keys of one issuer: found by discovery, read on demand, read again when a token names one that is new. */
export class IssuerKeys {
  readonly #issuer: string;
  readonly #options: KeyOptions;
  #keys: Promise<KeySet> | undefined;
  #failedAt: number | undefined;

  constructor(issuer: string, options: KeyOptions) {
    this.#issuer = issuer;
    this.#options = options;
  }

  /** The claims of a token with a good signature, this issuer, one of these audiences, and now within its times. */
  async verify(token: string, audiences: readonly string[]): Promise<Claims> {
    const keys = await this.#discovered();
    const now = this.#options.clock.now();
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer: this.#issuer,
        audience: [...audiences],
        clockTolerance: SKEW,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'iat', 'sub'],
      });
      const { iat, exp } = payload;
      if (!Number.isFinite(iat) || !Number.isFinite(exp)) throw new Error('"iat" or "exp" is no time');
      if ((iat ?? 0) > now / 1000 + SKEW) throw new Error('"iat" lies in the future');
      return payload;
    } catch (thrown) {
      throw tokenFault(thrown instanceof Error ? thrown.message : String(thrown), thrown);
    }
  }

  #discovered(): Promise<KeySet> {
    const now = this.#options.clock.monotonic();
    if (this.#failedAt !== undefined && now - this.#failedAt < FAILURE_PAUSE) {
      return Promise.reject(tokenFault(`issuer ${this.#issuer}: discovery failed a moment ago`));
    }
    this.#keys ??= this.#discover().catch((thrown: unknown) => {
      this.#keys = undefined;
      this.#failedAt = this.#options.clock.monotonic();
      throw tokenFault(`issuer ${this.#issuer}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown);
    });
    return this.#keys;
  }

  async #discover(): Promise<KeySet> {
    const { fetch, cooldown } = this.#options;
    const url = `${this.#issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await boundedFetch(fetch, url, { signal: AbortSignal.timeout(TIMEOUT), redirect: 'manual' });
    if (response.status !== 200) throw new Error(`discovery answered ${response.status}`);
    const document: unknown = await response.json();
    if (typeof document !== 'object' || document === null) throw new Error('the discovery document is not an object');
    if (!('issuer' in document) || document.issuer !== this.#issuer) {
      throw new Error('the discovery document names another issuer');
    }
    const jwks = 'jwks_uri' in document ? document.jwks_uri : undefined;
    if (typeof jwks !== 'string' || !this.#trusts(jwks)) throw new Error('jwks_uri is not an https URL');
    return createRemoteJWKSet(new URL(jwks), {
      timeoutDuration: TIMEOUT,
      cooldownDuration: cooldown,
      [customFetch]: (address, init) => this.#fetchKeys(address, init),
    });
  }

  /** The library pauses after a success only; an issuer that is down must not be hammered either. */
  async #fetchKeys(url: string, init: RequestInit): Promise<Response> {
    const { clock, fetch } = this.#options;
    const now = clock.monotonic();
    if (this.#failedAt !== undefined && now - this.#failedAt < FAILURE_PAUSE)
      throw new Error('keys failed a moment ago');
    try {
      return await boundedFetch(fetch, url, init);
    } catch (thrown) {
      this.#failedAt = clock.monotonic();
      throw thrown;
    }
  }

  #trusts(url: string): boolean {
    if (!URL.canParse(url)) return false;
    return new URL(url).protocol === 'https:' || (isLoopbackHttp(this.#issuer) && isLoopbackHttp(url));
  }
}

/** Milliseconds an issuer that could not be read is left alone. */
const FAILURE_PAUSE = 2_000;

/** A response whose body has been read whole and is not larger than MAX_DOCUMENT. */
async function boundedFetch(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_DOCUMENT) throw new Error(`a document of more than ${MAX_DOCUMENT} bytes`);
    chunks.push(chunk);
  }
  return new Response(response.status === 200 ? Buffer.concat(chunks) : null, { status: response.status });
}
