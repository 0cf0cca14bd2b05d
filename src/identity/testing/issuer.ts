import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { Fetch } from '../jwt.ts';

/** An issuer in memory: discovery and keys served through the `fetch` port, tokens signed as a test wants them. */
export interface TestIssuer {
  readonly issuer: string;
  readonly fetch: Fetch;
  /** Every URL that was fetched. */
  readonly fetched: string[];
  /** Documents that may be replaced to misbehave. */
  discovery: Record<string, unknown>;
  jwks: { keys: Record<string, unknown>[] };
  down: boolean;
  sign(claims: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
  rotate(): Promise<void>;
}

export async function testIssuer(issuer: string, clock: Clock): Promise<TestIssuer> {
  let count = 0;
  const makeKey = async (): Promise<{ key: CryptoKey; jwk: Record<string, unknown>; kid: string }> => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const kid = `key-${++count}`;
    return { key: pair.privateKey, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256', use: 'sig' }, kid };
  };
  let current = await makeKey();
  const self: TestIssuer = {
    issuer,
    fetched: [],
    discovery: { issuer, jwks_uri: `${issuer}/jwks` },
    jwks: { keys: [current.jwk] },
    down: false,
    async fetch(url) {
      self.fetched.push(url);
      if (self.down) throw new Error('connection refused');
      if (url === `${issuer}/.well-known/openid-configuration`) return Response.json(self.discovery);
      if (url === self.discovery['jwks_uri']) return Response.json(self.jwks);
      return new Response(null, { status: 404 });
    },
    sign(claims, header = {}) {
      const now = Math.floor(clock.now() / 1000);
      return new SignJWT({ iss: issuer, iat: now, exp: now + 600, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: current.kid, ...header })
        .sign(current.key);
    },
    async rotate() {
      current = await makeKey();
      self.jwks = { keys: [current.jwk] };
    },
  };
  return self;
}

/** One `fetch` for several issuers. */
export function fetchFrom(...issuers: readonly TestIssuer[]): Fetch {
  return async (url, init) => {
    const owner = issuers.find(({ issuer }) => url.startsWith(`${issuer}/`));
    return owner ? owner.fetch(url, init) : new Response(null, { status: 404 });
  };
}
