import { Fault } from '../../core/fault.ts';
import type { Notice } from '../notify/notice.ts';
import type { Delivery, DeliveryState, DeliveryStore, ListedDelivery } from '../notify/ports.ts';

interface Kept {
  readonly delivery: Delivery;
  readonly state: DeliveryState;
  readonly tries: number;
  readonly nextAt: number;
  readonly error?: string;
  readonly receipt?: string | undefined;
}

/** Deliveries in memory, as src/store/deliveries.ts keeps them. */
export class MemoryDeliveries implements DeliveryStore {
  readonly notices: Notice[] = [];
  readonly kept: Map<string, Kept> = new Map();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async route(to: (notice: Notice) => readonly string[]): Promise<number> {
    const due = this.notices.splice(0);
    for (const notice of due) {
      for (const destination of to(notice)) {
        const id = `d${this.kept.size}`.padStart(22, '0');
        const delivery = { id, destination, notice, tries: 0 };
        this.kept.set(id, { delivery, state: 'waiting', tries: 0, nextAt: this.#now() });
      }
    }
    return due.length;
  }

  async claim(
    rooms: Parameters<DeliveryStore['claim']>[0],
    others: number,
    lease: number,
  ): Promise<readonly Delivery[]> {
    const free = new Map(rooms.map((room) => [room.destination, room.free]));
    let rest = others;
    const claimed: Delivery[] = [];
    for (const one of this.#due()) {
      const { destination } = one.delivery;
      const room = free.get(destination) ?? rest;
      if (room <= 0) continue;
      if (free.has(destination)) free.set(destination, room - 1);
      else rest--;
      claimed.push({ ...one.delivery, tries: one.tries + 1 });
      this.#put(one, { tries: one.tries + 1, nextAt: this.#now() + lease });
    }
    return claimed;
  }

  async settle(
    delivery: Delivery,
    outcome: Parameters<DeliveryStore['settle']>[1],
  ): ReturnType<DeliveryStore['settle']> {
    const one = this.kept.get(delivery.id);
    if (one?.state !== 'waiting' || (one.tries !== delivery.tries && outcome.kind !== 'sent')) return false;
    if (outcome.kind === 'failed') this.#put(one, { nextAt: this.#now() + outcome.again, error: outcome.error });
    else if (outcome.kind === 'dead') this.#put(one, { state: 'dead', error: outcome.error });
    else this.#put(one, { state: 'sent', receipt: outcome.receipt });
    return true;
  }

  async receipt(destination: string, request: string): Promise<string | undefined> {
    return [...this.kept.values()].find(
      ({ delivery, receipt }) =>
        receipt !== undefined && delivery.destination === destination && delivery.notice.request.id === request,
    )?.receipt;
  }

  async list({ state, limit }: Parameters<DeliveryStore['list']>[0]): Promise<readonly ListedDelivery[]> {
    return [...this.kept.values()]
      .filter((one) => state === undefined || one.state === state)
      .map(listed)
      .slice(0, limit);
  }

  async retry(id: string): Promise<ListedDelivery> {
    const one = this.kept.get(id);
    if (one === undefined) throw new Fault('NOT_FOUND', `there is no delivery ${id}`);
    if (one.state !== 'dead') throw new Fault('CONFLICT', `delivery ${id} is ${one.state}`);
    return listed(this.#put(one, { state: 'waiting', tries: 0, nextAt: this.#now() }));
  }

  #due(): Kept[] {
    const waiting = [...this.kept.values()].filter(({ state }) => state === 'waiting');
    const oldest = waiting.filter(
      (one, index) =>
        !waiting
          .slice(0, index)
          .some(
            ({ delivery }) =>
              delivery.destination === one.delivery.destination &&
              delivery.notice.request.id === one.delivery.notice.request.id,
          ),
    );
    return oldest.filter(({ nextAt }) => nextAt <= this.#now());
  }

  #put(one: Kept, more: Partial<Kept>): Kept {
    const next = { ...one, ...more };
    this.kept.set(one.delivery.id, next);
    return next;
  }
}

function listed({ delivery, state, tries, nextAt, error }: Kept): ListedDelivery {
  return {
    id: delivery.id,
    destination: delivery.destination,
    type: delivery.notice.type,
    request: delivery.notice.request.id,
    state,
    tries,
    createdAt: 0,
    nextAt: state === 'waiting' ? nextAt : undefined,
    error,
  };
}
