import type { Random } from '../../core/clock.ts';
import { asFault, type Fault } from '../../core/fault.ts';
import { type Destination, SendFailure, wanted } from './destination.ts';
import type { Delivery, DeliveryStore, Outcome } from './ports.ts';
import { afterFailure, LEASE, TRIES, TRY_WITHIN } from './schedule.ts';

export interface CourierPorts {
  readonly store: DeliveryStore;
  /** As configured now; may be others at the next call. */
  readonly destinations: () => readonly Destination[];
  readonly random: Random;
  /** A delivery will not be tried again unless somebody says so. */
  readonly onDead: (delivery: Delivery, error: string) => Promise<void>;
  readonly onFailed: (delivery: Delivery, error: string) => void;
  /** The store cannot be used, or evidence not be written. */
  readonly onProblem: (fault: Fault) => void;
  /** Milliseconds of one try. */
  readonly within?: number;
}

/** Tries at once to one destination, by one worker: whoever hangs has so many of them, and nobody else waits for it. */
const AT_ONCE = 4;
const POLL = 1_000;

/**
 * Carries notices to where they are wanted. Each worker has one; they share the deliveries by taking them from the
 * store, and one that dies leaves what it had to the others.
 */
export class Courier {
  readonly #ports: CourierPorts;
  readonly #closing = new AbortController();
  readonly #under = new Map<string, number>();
  readonly #tries = new Set<Promise<void>>();
  #wake: () => void = () => undefined;
  #isStirred = false;
  #running: Promise<void> = Promise.resolve();

  constructor(ports: CourierPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** There may be something to carry. */
  stir(): void {
    this.#isStirred = true;
    this.#wake();
  }

  /** Breaks off what is being tried: others take it up when its lease is over. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.stir();
    await this.#running;
    await this.idle();
  }

  /** Once: routes what is due, takes what there is room for, and begins to try it. */
  async round(): Promise<void> {
    const { store, destinations } = this.#ports;
    const known = destinations();
    while ((await store.route((notice) => wanted(known, notice))) > 0);
    const rooms = known.map(({ name }) => ({ destination: name, free: AT_ONCE - (this.#under.get(name) ?? 0) }));
    for (const delivery of await store.claim(rooms, AT_ONCE, LEASE)) {
      const destination = known.find(({ name }) => name === delivery.destination);
      const trying = this.#try(delivery, destination).catch((thrown: unknown) =>
        this.#ports.onProblem(asFault(thrown)),
      );
      this.#tries.add(trying);
      void trying.then(() => {
        this.#tries.delete(trying);
        this.stir();
      });
    }
  }

  /** Resolves when nothing is being tried. */
  async idle(): Promise<void> {
    while (this.#tries.size > 0) await Promise.all(this.#tries);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let isTroubled = false;
    while (!signal.aborted) {
      this.#isStirred = false;
      try {
        await this.round();
        isTroubled = false;
      } catch (thrown) {
        if (!isTroubled) this.#ports.onProblem(asFault(thrown));
        isTroubled = true;
      }
      // While the store is away, what ends or comes is no reason to ask it at once.
      if (!this.#isStirred || isTroubled) await this.#rest(isTroubled);
    }
  }

  #rest(isTroubled: boolean): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, POLL);
      this.#wake = () => {
        if (!isTroubled || this.#closing.signal.aborted) done();
      };
    });
  }

  async #try(delivery: Delivery, destination: Destination | undefined): Promise<void> {
    const name = delivery.destination;
    this.#under.set(name, (this.#under.get(name) ?? 0) + 1);
    try {
      const outcome = await this.#outcome(delivery, destination);
      if (outcome === undefined) return;
      const counted = await this.#ports.store.settle(delivery, outcome);
      if (!counted || outcome.kind === 'sent') return;
      if (outcome.kind === 'dead') await this.#ports.onDead(delivery, outcome.error);
      else this.#ports.onFailed(delivery, outcome.error);
    } finally {
      const under = (this.#under.get(name) ?? 1) - 1;
      if (under > 0) this.#under.set(name, under);
      else this.#under.delete(name);
    }
  }

  /** Undefined: broken off. */
  async #outcome(delivery: Delivery, destination: Destination | undefined): Promise<Outcome | undefined> {
    const { tries } = delivery;
    if (tries > TRIES) return { kind: 'dead', error: 'the gateway stopped during the last try' };
    const luck = (this.#ports.random.bytes(1)[0] ?? 0) / 256;
    try {
      if (destination === undefined) throw new SendFailure('there is no such destination in the configuration');
      return { kind: 'sent', receipt: await this.#inTime(delivery, destination) };
    } catch (thrown) {
      if (this.#closing.signal.aborted) return undefined;
      const asked = thrown instanceof SendFailure ? thrown.retryAfter : undefined;
      return afterFailure(tries, whyOf(thrown), { luck, asked });
    }
  }

  /** Also where the sender does not listen to its signal. */
  async #inTime(delivery: Delivery, { send }: Destination): Promise<string | undefined> {
    const { within = TRY_WITHIN } = this.#ports;
    const over = new AbortController();
    const stop = (): void => over.abort();
    const timer = setTimeout(stop, within);
    this.#closing.signal.addEventListener('abort', stop);
    try {
      const late = new Promise<never>((_resolve, reject) => {
        over.signal.addEventListener('abort', () => reject(new SendFailure(`no answer within ${within / 1000} s`)));
      });
      return await Promise.race([send(delivery, over.signal), late]);
    } finally {
      clearTimeout(timer);
      this.#closing.signal.removeEventListener('abort', stop);
      over.abort();
    }
  }
}

function whyOf(thrown: unknown): string {
  if (thrown instanceof SendFailure) return thrown.message;
  const { code, message } = asFault(thrown);
  return code === 'INTERNAL' ? code : message;
}
