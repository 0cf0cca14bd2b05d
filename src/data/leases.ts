import { Fault } from '../core/fault.ts';
import type { Target } from '../core/target.ts';

/** Milliseconds a session may wait for a place. */
const WAIT = 30_000;
/** Holders that an error names. */
const MOST_NAMED = 5;

interface Places {
  /** Who holds each place, in words. */
  readonly holders: Map<symbol, string>;
  readonly queue: (() => void)[];
}

/**
 * Counts upstream connections per target on this worker. Who finds no place queues; who finds the queue full, or waits
 * in vain, is told who holds the places.
 */
export class Leases {
  readonly #targets = new Map<string, Places>();

  /** Resolves to the release of the place; `holder` says whose it is. Throws Fault TARGET_BUSY or ABORTED. */
  async take(target: Target, holder: string, signal: AbortSignal): Promise<() => void> {
    const places = this.#placesOf(target.name);
    if (places.holders.size >= target.connections.most) await this.#wait(target, places, signal);
    const place = Symbol(holder);
    places.holders.set(place, holder);
    return () => {
      if (places.holders.delete(place)) places.queue.shift()?.();
    };
  }

  /** How many connections are in use and how many sessions wait for one, by target. */
  standing(): ReadonlyMap<string, { readonly used: number; readonly waiting: number }> {
    return new Map(
      [...this.#targets].map(([name, { holders, queue }]) => [name, { used: holders.size, waiting: queue.length }]),
    );
  }

  #placesOf(target: string): Places {
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const places: Places = { holders: new Map(), queue: [] };
    this.#targets.set(target, places);
    return places;
  }

  #wait(target: Target, places: Places, signal: AbortSignal): Promise<void> {
    const { queue } = places;
    if (queue.length >= target.connections.queue) throw busy(target, places);
    return new Promise((resolve, reject) => {
      const give = () => {
        cleanUp();
        resolve();
      };
      const leave = (fault: Fault) => {
        cleanUp();
        const at = queue.indexOf(give);
        if (at >= 0) queue.splice(at, 1);
        reject(fault);
      };
      const gone = () => leave(new Fault('ABORTED', 'the session ended while it waited for a connection'));
      const timer = setTimeout(() => leave(busy(target, places)), WAIT);
      const cleanUp = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
      };
      signal.addEventListener('abort', gone, { once: true });
      queue.push(give);
    });
  }
}

function busy({ name, connections }: Target, { holders, queue }: Places): Fault {
  const counts = new Map<string, number>();
  for (const holder of holders.values()) counts.set(holder, (counts.get(holder) ?? 0) + 1);
  const named = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, MOST_NAMED);
  const who = named.map(([holder, count]) => `${holder} (${count})`).join(', ');
  return new Fault(
    'TARGET_BUSY',
    `target ${name} has all its ${connections.most} connections in use and ${queue.length} sessions waiting; held by ${who}`,
  );
}
