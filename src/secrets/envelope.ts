import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Fault } from '../core/fault.ts';
import type { RootKey } from './root-key.ts';

/** Seals small secrets under the root key. What was sealed for one context opens in no other. */
export interface Envelope {
  /** Which root key: stands in the clear in what it seals. */
  readonly keyId: string;
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** Throws Fault SECRET_UNAVAILABLE, which does not tell a wrong key from a changed text. */
  open(sealed: Uint8Array, context: string): Uint8Array;
}

const VERSION = 1;
const KEY_ID = 8;
const NONCE = 12;
const TAG = 16;
const HEAD = 1 + KEY_ID;

/**
 * AES-256-GCM under a key derived from the root key for this purpose. Sealed: u8 version, key id (8), nonce (12),
 * ciphertext, tag (16); version, key id and context are authenticated.
 */
export function envelope(root: RootKey): Envelope {
  const key = root.derive('envelope');
  const head = Buffer.concat([Buffer.from([VERSION]), Buffer.from(root.id, 'hex')]);
  const bind = (context: string): Buffer => Buffer.concat([head, Buffer.from(context)]);
  return {
    keyId: root.id,
    seal: (plain, context) => {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bind(context));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return new Uint8Array(Buffer.concat([head, nonce, text, cipher.getAuthTag()]));
    },
    open: (sealed, context) => {
      const bytes = Buffer.from(sealed);
      if (bytes.length < HEAD + NONCE + TAG || bytes[0] !== VERSION)
        throw unavailable('what was sealed cannot be read');
      if (!bytes.subarray(0, HEAD).equals(head)) throw unavailable('it was sealed under another root key');
      const nonce = bytes.subarray(HEAD, HEAD + NONCE);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
      decipher.setAAD(bind(context)).setAuthTag(bytes.subarray(bytes.length - TAG));
      try {
        const text = decipher.update(bytes.subarray(HEAD + NONCE, bytes.length - TAG));
        return new Uint8Array(Buffer.concat([text, decipher.final()]));
      } catch (cause) {
        throw unavailable('what was sealed was changed, or belongs elsewhere', cause);
      }
    },
  };
}

function unavailable(message: string, cause?: unknown): Fault {
  return new Fault('SECRET_UNAVAILABLE', message, { cause });
}
