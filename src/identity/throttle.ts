import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import type { Origin } from '../core/login.ts';
import { canonicalAddress, parseBlock } from '../core/network.ts';

/**
 * Slows down guessing. Only failures cost. A source that failed too often waits. A grant that was guessed at too often
 * is closed only to sources that failed themselves, so that nobody can lock out a pass's holder by knowing its id.
 */
export class Throttle {
  readonly #sources: Buckets;
  readonly #grants: Buckets;

  constructor(clock: Clock) {
    // A script with a stale pass gets 20 quick tries, then one in six seconds.
    this.#sources = new Buckets(clock, { burst: 20, perSecond: 1 / 6 });
    this.#grants = new Buckets(clock, { burst: 10, perSecond: 1 / 30 });
  }

  /** Whether the source, or the grant for this source, must wait. */
  closed(origin: Origin, grant?: string): boolean {
    const source = sourceKey(origin.address);
    if (this.#sources.empty(source)) return true;
    return grant !== undefined && this.#grants.empty(grant) && this.#sources.touched(source);
  }

  /** Throws Fault LOGIN_THROTTLED while it is closed. */
  admit(origin: Origin, grant?: string): void {
    if (this.closed(origin, grant)) {
      throw new Fault('LOGIN_THROTTLED', 'too many failed logins; wait a minute, then try again');
    }
  }

  failed(origin: Origin, grant?: string): void {
    this.#sources.take(sourceKey(origin.address));
    if (grant !== undefined) this.#grants.take(grant);
  }
}

interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Token buckets by name, at most MOST_NAMES of them: the one not used for longest is forgotten first. */
class Buckets {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  empty(name: string): boolean {
    return this.#tokens(name) < 1;
  }

  touched(name: string): boolean {
    return this.#tokens(name) < this.#rate.burst;
  }

  take(name: string): void {
    const tokens = Math.max(0, this.#tokens(name) - 1);
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens, at: this.#clock.monotonic() });
    if (this.#buckets.size <= MOST_NAMES) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }

  #tokens(name: string): number {
    const bucket = this.#buckets.get(name);
    if (!bucket) return this.#rate.burst;
    const refilled = ((this.#clock.monotonic() - bucket.at) / 1000) * this.#rate.perSecond;
    return Math.min(this.#rate.burst, bucket.tokens + refilled);
  }
}

const MOST_NAMES = 10_000;

/** One IPv6 subscriber has at least a /64, so that is what counts as one source. */
function sourceKey(address: string): string {
  const block = parseBlock(address.replace(/%[^/]*$/, ''));
  return block?.family === 6 ? `${block.base >> 64n}` : (canonicalAddress(address) ?? address);
}
