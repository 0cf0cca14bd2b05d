import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { CancelKey } from '../../wire/postgres/backend.ts';

/** Bits of the process id that say which worker minted a key, so that a sibling can pass a request on. */
const WORKER_BITS = 6;
const ISSUED_BITS = 31 - WORKER_BITS;

/**
 * Cancel keys of the connections this worker serves. A key is the gateway's own: it says nothing about the target's,
 * and whoever holds it can do nothing but cancel that one connection's statement.
 */
export class CancelDesk {
  readonly #worker: number;
  readonly #held = new Map<number, { readonly secret: Uint8Array; readonly cancel: () => void }>();

  constructor(worker: number) {
    if (worker >= 1 << WORKER_BITS) throw new RangeError(`worker ${worker} does not fit a cancel key`);
    this.#worker = worker;
  }

  /** A fresh key; protocol 3.2 clients get 32 bytes, older ones the 4 they can read. */
  issue(minor: number, cancel: () => void): CancelKey {
    let process: number;
    do process = (this.#worker << ISSUED_BITS) | randomInt(1, 2 ** ISSUED_BITS);
    while (this.#held.has(process));
    const secret = randomBytes(minor >= 2 ? 32 : 4);
    this.#held.set(process, { secret, cancel });
    return { process, secret };
  }

  /** Cancels if the key is right. Says nothing either way, as the protocol wants it. */
  request(key: CancelKey): void {
    const held = this.#held.get(key.process);
    if (held === undefined || held.secret.length !== key.secret.length) return;
    if (timingSafeEqual(held.secret, key.secret)) held.cancel();
  }

  release(key: CancelKey): void {
    this.#held.delete(key.process);
  }
}
