import type { Denial } from '../../core/decision.ts';
import type { Operation } from '../../core/operation.ts';
import type { Patience } from '../../core/session.ts';
import type { Framer } from '../../wire/postgres/framer.ts';
import type { Conversation } from './conversation.ts';

/** What the handlers of messages may do. */
export interface Asking {
  readonly talk: Conversation;
  /** The message at hand, valid until the handler settles. */
  readonly frame: Framer;
  /** Relays the message at hand as it came. */
  forward(): void;
  /**
   * Puts an error in the place of the message at hand, so that the server ends where its own error would have left it.
   * `state`: an SQLSTATE more fitting than the reason's.
   */
  refuse(denial: Denial, kind: 'simple' | 'extended', state?: string): void;
  /** How an operation that is held waits. */
  readonly waits: { for(operation: Operation): Patience; over(): void };
  /** Reads the client's socket while its message waits. */
  listen(): void;
  /** Connects to the target if that did not happen yet. */
  connect(): Promise<void>;
}
