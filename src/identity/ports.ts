import type { Revocation, RevocationSubject } from '../core/feed.ts';
import type { Chain, Grant } from '../core/grant.ts';

/** What is kept of a pass: enough to verify it, not enough to make it. */
export interface PassVerifier {
  /** SHA-256 of the secret. A slow hash adds nothing at 190 bits. */
  readonly sha256: Uint8Array;
  /** RFC 5802 keys of the same secret, so that a SCRAM login needs no key derivation here. */
  readonly scram: {
    readonly salt: Uint8Array;
    readonly iterations: number;
    readonly storedKey: Uint8Array;
    readonly serverKey: Uint8Array;
  };
}

export interface StoredGrant {
  readonly chain: Chain;
  /** The first revocation that strikes any grant, principal, agent or login of the chain. */
  readonly revoked: Revocation | undefined;
}

/** What was revoked, kept. Every change is on the feed in the same transaction. Throws Fault STORE_UNAVAILABLE. */
export interface RevocationStore {
  /** Ends everything that stands on the subject, until it is lifted. Idempotent; what was lifted is struck again. */
  revoke(subject: RevocationSubject, by: string, reason: string): Promise<Revocation>;
  /** Ends everything that stands on it now, and nothing that comes later. A membership is only ever revoked so. */
  cut(subject: RevocationSubject, by: string, reason: string): Promise<Revocation>;
  /**
   * Lets new grants stand on the subject again; those of before stay dead. Idempotent; undefined where nothing was
   * revoked. Throws Fault CONFLICT for what stays ended (LIFTABLE).
   */
  lift(subject: RevocationSubject, by: string, reason: string): Promise<Revocation | undefined>;
  /** Newest first. */
  revocations(filter: RevocationFilter): Promise<readonly Revocation[]>;
  /** Whether any grant ever stood on the subject. */
  knows(subject: RevocationSubject): Promise<boolean>;
}

export interface RevocationFilter {
  readonly kinds?: readonly RevocationSubject['kind'][];
  /** Of the subjects. */
  readonly ids?: readonly string[];
  /** Those that still strike what is new. */
  readonly lasting?: boolean;
  readonly limit?: number;
}

/** The delegation tree, kept. Implemented by the store; every method throws Fault STORE_UNAVAILABLE. */
export interface GrantStore extends RevocationStore {
  /**
   * Adds a grant under its parent in one transaction that also sees the parent alive, unexpired and below its
   * fan-out cap. Throws Fault GRANT_INVALID otherwise.
   */
  insert(grant: Grant, verifier: PassVerifier): Promise<void>;
  load(id: string): Promise<StoredGrant | undefined>;
  verifier(id: string): Promise<PassVerifier | undefined>;
  /** Takes `count` uses from every grant of the path that has a finite number, or from none. */
  debit(path: readonly string[], count: number): Promise<{ readonly exhausted: string } | 'debited'>;
  /** Uses left of one grant; undefined where unlimited. */
  usesLeft(id: string): Promise<number | undefined>;
  /** Newest first; `under` limits to a subtree, `principal` to one root. */
  list(filter: GrantFilter): Promise<readonly ListedGrant[]>;
  /** Remembers a token id until it expires; false when it was there already. */
  once(issuer: string, tokenId: string, expires: number): Promise<boolean>;
}

export interface GrantFilter {
  readonly under?: string;
  readonly principal?: string;
  readonly live?: boolean;
  /** Logins only, without what was passed on from them. */
  readonly roots?: boolean;
  readonly limit: number;
}

export interface ListedGrant {
  readonly grant: Grant;
  readonly usesLeft: number | undefined;
  readonly revoked: Revocation | undefined;
}
