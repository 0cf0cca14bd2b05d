import type { ApprovalState } from './approval.ts';

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
  | { readonly kind: 'target'; readonly id: string }
  /** What a principal (`id`) logged in to as a member of a group. */
  | { readonly kind: 'membership'; readonly id: string; readonly group: string };

export interface Revocation {
  readonly subject: RevocationSubject;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly at: number;
  /**
   * A place on the feed: grants born before it are struck for ever, later ones are not. Undefined: it lasts, and strikes
   * grants of any age. A place and no time, because clocks jump and the feed does not.
   */
  readonly until?: number | undefined;
  /** Who lifted it; undefined while it lasts, and where it never was to. */
  readonly lifted?: Lift | undefined;
}

export interface Lift {
  readonly by: string;
  readonly reason: string;
  readonly at: number;
}

/** What can be revoked for good and taken up again. A grant and a session that ended stay ended. */
export const LIFTABLE = ['principal', 'agent', 'login', 'target'] as const;

/** The key under which a revocation is kept and looked up. */
export function strikeKey(subject: RevocationSubject): string {
  const { kind, id } = subject;
  // A principal's id may hold any separator, and so may a group.
  return kind === 'membership' ? `${kind}:${JSON.stringify([id, subject.group])}` : `${kind}:${id}`;
}

/** Whether a revocation of what a grant stands on ends it. `born`: see Grant; one that is unknown is before everything. */
export function bites({ until }: Pick<Revocation, 'until'>, born: number | undefined): boolean {
  return until === undefined || (born ?? -1) < until;
}

export type FeedEntry =
  | { readonly sequence: number; readonly kind: 'revoked'; readonly revocation: Revocation }
  | { readonly sequence: number; readonly kind: 'lifted'; readonly revocation: Revocation }
  | { readonly sequence: number; readonly kind: 'config'; readonly version: number }
  /** A request for approval was answered, withdrawn, used or reviewed. */
  | { readonly sequence: number; readonly kind: 'approval'; readonly id: string; readonly state: ApprovalState }
  | { readonly sequence: number; readonly kind: 'catalog'; readonly target: string; readonly database: string };

export interface Feed {
  /** Calls back in sequence order, each entry once. A listener that throws stops the process: it must not. */
  subscribe(listener: (entry: FeedEntry) => void): () => void;
  /** Milliseconds since the feed was last known to be caught up. */
  age(): number;
  close(): Promise<void>;
}
