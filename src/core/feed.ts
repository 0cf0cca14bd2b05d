/**
 * The feed: revocations and epochs, in one gapless sequence taken in the transaction that caused them. Every worker
 * follows it; a worker that cannot hear it pauses (nothing new is cleared), and after the grace ends its sessions.
 */

/** What a revocation names. Everything that has the id anywhere in its chain dies with it. */
export type RevocationSubject =
  | { readonly kind: 'grant'; readonly id: string }
  | { readonly kind: 'principal'; readonly id: string }
  | { readonly kind: 'agent'; readonly id: string }
  /** A session at the identity provider: `<provider>|<sid>`. */
  | { readonly kind: 'login'; readonly id: string }
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'target'; readonly id: string };

export interface Revocation {
  readonly subject: RevocationSubject;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly at: number;
}

export type FeedEntry =
  | { readonly sequence: number; readonly kind: 'revoked'; readonly revocation: Revocation }
  | { readonly sequence: number; readonly kind: 'config'; readonly version: number }
  | { readonly sequence: number; readonly kind: 'catalog'; readonly target: string; readonly database: string };

export interface Feed {
  /** Calls back in sequence order, each entry once. A listener that throws stops the process: it must not. */
  subscribe(listener: (entry: FeedEntry) => void): () => void;
  /** Milliseconds since the feed was last known to be caught up. */
  age(): number;
  close(): Promise<void>;
}
