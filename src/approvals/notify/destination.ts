import type { Notice, NoticeType } from './notice.ts';
import type { Delivery } from './ports.ts';

/** Where notices go, as an operator wrote it. */
export interface Destination {
  readonly name: string;
  readonly events: readonly NoticeType[];
  /** Only what waits for one of these rules; undefined: all. */
  readonly rules: readonly string[] | undefined;
  readonly send: Send;
}

/**
 * Tries to deliver, once. Resolves to a receipt where there is one. Throws SendFailure, and must have ended soon after
 * `signal` aborts. What it resolves to or throws never holds a secret.
 */
export type Send = (delivery: Delivery, signal: AbortSignal) => Promise<string | undefined>;

/** `message` is for operators: no address, no secret, nothing that the receiver said at length. */
export class SendFailure extends Error {
  /** Milliseconds that the receiver asked to be left alone. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.name = 'SendFailure';
    this.retryAfter = retryAfter;
  }
}

/** The names of those that want to hear of it. */
export function wanted(destinations: readonly Destination[], notice: Notice): readonly string[] {
  return destinations
    .filter(({ events, rules }) => {
      const isAbout = rules === undefined || notice.request.rules.some((rule) => rules.includes(rule));
      return isAbout && events.includes(notice.type);
    })
    .map(({ name }) => name);
}
