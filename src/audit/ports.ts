import type { RecordingEntry } from '../core/evidence.ts';

/** Encrypts recordings for the writer. Implemented by the recording room. */
export interface ChunkSealer {
  /** The key in use for a target, made when there is none. Throws Fault SECRET_UNAVAILABLE. */
  key(target: string): ChunkKey;
}

export interface ChunkKey {
  /** Stands in the clear beside what was sealed, so that the key can be found again. */
  readonly id: string;
  /** Encrypts the entries into one body, bound to `context`. `sessions` numbers the sessions they belong to. Cannot fail. */
  seal(entries: readonly RecordingEntry[], sessions: readonly string[], context: Uint8Array): Uint8Array;
}
