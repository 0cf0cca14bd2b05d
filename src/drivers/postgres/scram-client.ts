import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '../../core/fault.ts';

const derive = promisify(pbkdf2);

/** More than any server has reason to ask; a hostile one could otherwise keep us busy for minutes. */
const MAX_ITERATIONS = 1_000_000;

/** Salted passwords by what they were made from: the derivation is the costly part of a login (705 µs at 4,096 rounds). */
const salted = new Map<string, Buffer>();
const MAX_SALTED = 256;

/** The client side of SCRAM-SHA-256(-PLUS), RFC 5802 and RFC 7677, for logging in at a target. */
export class ScramClient {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';
  readonly #password: string;
  readonly #header: string;
  readonly #binding: Uint8Array;
  readonly #nonce: string = randomBytes(18).toString('base64');
  #signature: Buffer | undefined;

  /** `endpoint`: tls-server-end-point data when the connection has TLS. Throws Fault when no mechanism fits. */
  constructor(password: string, mechanisms: readonly string[], endpoint: Uint8Array | undefined) {
    const plus = endpoint !== undefined && mechanisms.includes('SCRAM-SHA-256-PLUS');
    if (!plus && !mechanisms.includes('SCRAM-SHA-256')) {
      throw new Fault('TARGET_CREDENTIAL', `the target offers only ${mechanisms.join(', ')}`);
    }
    this.mechanism = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
    this.#password = password.normalize('NFKC');
    this.#header = plus ? 'p=tls-server-end-point,,' : endpoint === undefined ? 'n,,' : 'y,,';
    this.#binding = plus ? endpoint : new Uint8Array(0);
  }

  first(): string {
    return `${this.#header}n=,r=${this.#nonce}`;
  }

  async answer(serverFirst: string): Promise<string> {
    const match = /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]*)$/.exec(serverFirst);
    const [, nonce = '', salt = '', rounds = ''] = match ?? [];
    const iterations = Number(rounds);
    if (!match || !nonce.startsWith(this.#nonce) || nonce === this.#nonce || iterations > MAX_ITERATIONS) {
      throw new Fault('TARGET_PROTOCOL', 'the target sent a malformed SCRAM challenge');
    }
    const key = await saltedPassword(this.#password, salt, iterations);
    const binding = Buffer.concat([Buffer.from(this.#header), this.#binding]).toString('base64');
    const withoutProof = `c=${binding},r=${nonce}`;
    const message = `n=,r=${this.#nonce},${serverFirst},${withoutProof}`;
    const clientKey = hmac(key, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    const proof = clientKey.map((byte, i) => byte ^ (signature[i] ?? 0));
    this.#signature = hmac(hmac(key, 'Server Key'), message);
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** Proves that the target knows the password too. Throws Fault TARGET_CREDENTIAL when it does not. */
  verify(serverFinal: string): void {
    const given = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? '', 'base64');
    if (!this.#signature || given.length !== this.#signature.length || !timingSafeEqual(given, this.#signature)) {
      throw new Fault('TARGET_CREDENTIAL', 'the target could not prove that it knows the password');
    }
  }
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

async function saltedPassword(password: string, salt: string, iterations: number): Promise<Buffer> {
  const name = createHash('sha256').update(`${iterations}\0${salt}\0${password}`).digest('base64');
  const known = salted.get(name);
  if (known) return known;
  const key = await derive(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
  const [oldest] = salted.keys();
  if (salted.size >= MAX_SALTED && oldest !== undefined) salted.delete(oldest);
  salted.set(name, key);
  return key;
}
