/**
 * The event schema, version 1: what the audit log holds. Every event that concerns a session carries its id, so that
 * the chain (in `session.start`) is one look-up away, and the root principal and current grant directly.
 * docs/reference/contract.md describes each event for consumers.
 */
export type AuditEvent = {
  readonly v: 1;
  readonly type: AuditType /** RFC 3339, milliseconds, UTC. */;
  readonly at: string;
} & Readonly<Record<string, Json>>;

export type AuditType =
  | 'node.start'
  | 'node.stop'
  | 'config.loaded'
  | 'policy.loaded'
  | 'login.accepted'
  | 'login.refused'
  | 'grant.issued'
  | 'grant.refused'
  | 'grant.revoked'
  | 'revocation.lifted'
  | 'session.start'
  | 'session.refused'
  | 'session.end'
  | 'session.killed'
  | 'operation.cleared'
  | 'operation.held'
  | 'operation.denied'
  | 'operation.done'
  | 'approval.asked'
  | 'approval.answered'
  | 'approval.withdrawn'
  | 'approval.reviewed'
  | 'delivery.retried'
  | 'recording.viewed'
  | 'secret.opened'
  | 'secret.sealed'
  | 'target.sampled'
  | 'target.adopted'
  | 'target.adopt-undone'
  | 'target.adopt-forgotten'
  | 'alarm';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Appends to the one chain of this writer (node × worker). */
export interface EvidenceWriter {
  /**
   * Resolves once the write has returned (durability `process`) or reached the disk (`power`). Rejects with Fault
   * EVIDENCE_UNWRITABLE; nothing may be forwarded on the strength of an append that did not resolve.
   * Appends are written in the order of the calls, and those of one write share one promise.
   */
  audit(event: AuditEvent, urgency?: Urgency): Promise<void>;
  /** The same for a recording entry: encrypted for `target` before it is written. */
  record(entry: NewEntry, urgency?: Urgency): Promise<void>;
  /**
   * An event, as the JSON text of an AuditEvent, and the entry about the same, written at once. Where the entry cannot
   * be taken this rejects, and the event is written all the same.
   */
  both(event: string, entry: NewEntry, urgency?: Urgency): Promise<void>;
  /** True when a write has been outstanding for two seconds: clear nothing more until it returns. */
  readonly stalled: boolean;
}

/** `now` (the default): somebody waits. `soon`: may wait a few milliseconds for company, since nobody does. */
export type Urgency = 'now' | 'soon';

export interface RecordingEntry {
  readonly session: string;
  readonly target: string;
  readonly kind: RecordingKind;
  /** Operation it belongs to; 0 for the session itself. */
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** UTF-8 JSON for `open`, `asked`, `refused`, `done`, `close`; wire frames for `frames`. */
  readonly body: Uint8Array;
}

/** An entry for the writer, which copies it before it returns. */
export type NewEntry = Omit<RecordingEntry, 'body'> & { readonly body: Uint8Array | string };

export type RecordingKind = 'open' | 'asked' | 'refused' | 'frames' | 'done' | 'close';
