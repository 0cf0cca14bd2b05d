import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';

/** A signing key of the development issuers: made at start, gone at the end. */
export interface Signer {
  readonly algorithm: 'ES256' | 'RS256';
  readonly publicJwk: Readonly<Record<string, unknown>>;
  readonly privateJwk: Readonly<Record<string, unknown>>;
  sign(claims: Readonly<Record<string, unknown>>, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

let made = 0;

export async function makeSigner(algorithm: Signer['algorithm']): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const about = { kid: `dev-${process.pid}-${++made}`, alg: algorithm, use: 'sig' };
  return {
    algorithm,
    publicJwk: { ...(await exportJWK(publicKey)), ...about },
    privateJwk: { ...(await exportJWK(privateKey)), ...about },
    sign: (claims, header = {}) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: algorithm, kid: about.kid, typ: 'JWT', ...header })
        .sign(privateKey),
  };
}
