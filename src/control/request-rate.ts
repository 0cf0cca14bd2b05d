import { isIPv6 } from 'node:net';
import type { Clock } from '../core/clock.ts';

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Sources remembered at once; beyond that the one not heard of for longest is forgotten. */
const MAX_SOURCES = 10_000;

/** A bucket of requests per source address. Slows a flood down; guessing passes is the identity room's throttle. */
export class RequestRate {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Takes one; false when there is none left. */
  take(address: string): boolean {
    const key = isIPv6(address) ? address.toLowerCase().split(':').slice(0, 4).join(':') : address;
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#rate.burst, at: now };
    const refilled = Math.min(this.#rate.burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#rate.perSecond);
    const granted = refilled >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: granted ? refilled - 1 : refilled, at: now });
    if (this.#buckets.size > MAX_SOURCES) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return granted;
  }
}
