import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { sha256 } from './format.ts';

/** Signs checkpoints with the gateway's Ed25519 key. */
export interface Signer {
  readonly keyId: string;
  sign(bytes: Uint8Array): Buffer;
}

/** Checks signatures of one gateway; needs no secret. */
export interface SignatureVerifier {
  readonly keyId: string;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * The key in `<keys>/evidence.key` (0600), made at the first start, its public half beside it in `evidence.pub`: that
 * file is all that a verification elsewhere needs. Throws Fault SECRET_UNAVAILABLE.
 */
export function loadSigner(keys: string): Signer {
  const path = join(keys, 'evidence.key');
  try {
    if (!existsSync(path)) createKey(keys, path);
    const key = createPrivateKey(readFileSync(path));
    const publicKey = createPublicKey(key);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is not an Ed25519 key');
    return { keyId: idOf(publicKey), sign: (bytes) => sign(null, bytes, key) };
  } catch (cause) {
    throw new Fault('SECRET_UNAVAILABLE', `the key of checkpoints (${path}) cannot be used`, { cause });
  }
}

/** From PEM. Throws Fault SECRET_UNAVAILABLE. */
export function signatureVerifier(pem: string): SignatureVerifier {
  try {
    const key = createPublicKey(pem);
    return { keyId: idOf(key), verify: (bytes, signature) => verify(null, bytes, key, signature) };
  } catch (cause) {
    throw new Fault('SECRET_UNAVAILABLE', 'the public key of checkpoints cannot be read', { cause });
  }
}

function createKey(keys: string, path: string): void {
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const pair = generateKeyPairSync('ed25519');
  writeFileSync(path, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  writeFileSync(join(keys, 'evidence.pub'), pair.publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
}

function idOf(key: KeyObject): string {
  return sha256(key.export({ type: 'spki', format: 'der' }))
    .toString('hex')
    .slice(0, 16);
}
