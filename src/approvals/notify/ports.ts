import type { Notice } from './notice.ts';

/*
 * Telling people of requests for approval: what is told (notice.ts), how it looks (webhook.ts, slack-message.ts,
 * email.ts), and who carries it (courier.ts). What is to be told is written in the transaction that changed the request
 * and kept until it was taken, so that nothing is lost and everything comes at least once. Nothing is decided here, and
 * nothing shown that the request itself does not show.
 */

/** One notice on its way to one destination. */
export interface Delivery {
  /** The same at every try: receivers drop by it what comes twice. */
  readonly id: string;
  readonly destination: string;
  readonly notice: Notice;
  /** Tries so far; while it is being tried, this one among them. */
  readonly tries: number;
}

export type DeliveryState = 'waiting' | 'sent' | 'dead';

export interface ListedDelivery {
  readonly id: string;
  readonly destination: string;
  readonly type: Notice['type'];
  readonly request: string;
  readonly state: DeliveryState;
  readonly tries: number;
  readonly createdAt: number;
  /** When it is tried next; undefined once it is sent or dead. */
  readonly nextAt: number | undefined;
  readonly error: string | undefined;
}

/** How one try ended. `receipt`: what the receiver calls what it was sent, where that is of use later. */
export type Outcome =
  | { readonly kind: 'sent'; readonly receipt?: string | undefined }
  | { readonly kind: 'failed'; readonly error: string; readonly again: number }
  | { readonly kind: 'dead'; readonly error: string };

/** How many more tries one destination can take at the moment. */
export interface Room {
  readonly destination: string;
  readonly free: number;
}

/** Deliveries, kept. Implemented by the store; every method throws Fault STORE_UNAVAILABLE. */
export interface DeliveryStore {
  /**
   * Makes deliveries of the notices that are due, one for each destination that `to` names, and forgets the notices.
   * Resolves to how many notices that were.
   */
  route(to: (notice: Notice) => readonly string[]): Promise<number>;
  /**
   * Takes what is due, counts a try, and keeps it from everybody for `lease` milliseconds. Of one request to one
   * destination only the oldest is given. `others`: how many for destinations that are not named in `rooms`.
   */
  claim(rooms: readonly Room[], others: number, lease: number): Promise<readonly Delivery[]>;
  /**
   * Ends a try. Where somebody else has taken it since, only that it was sent is news. Resolves to whether it counted.
   */
  settle(delivery: Delivery, outcome: Outcome): Promise<boolean>;
  /** What the receiver called the message that first told it of a request. */
  receipt(destination: string, request: string): Promise<string | undefined>;
  /** Newest first. */
  list(filter: { readonly state?: DeliveryState; readonly limit: number }): Promise<readonly ListedDelivery[]>;
  /** Tries one that is dead from the start again. Throws Fault NOT_FOUND, CONFLICT where it is not dead. */
  retry(id: string): Promise<ListedDelivery>;
}
