import type { NewEntry } from '../core/evidence.ts';

/** Encrypts recordings for the writer. Implemented by the recording room. */
export interface ChunkSealer {
  /** The key in use for a target, made when there is none. Throws Fault SECRET_UNAVAILABLE. */
  key(target: string): ChunkKey;
}

export interface ChunkKey {
  /** Stands in the clear beside what was sealed, so that the key can be found again. */
  readonly id: string;
  begin(): ChunkDraft;
}

/** A chunk that is not sealed yet. */
export interface ChunkDraft {
  /** Bytes of what was added. */
  readonly length: number;
  /** Copies the entry. `session` numbers the one it belongs to. */
  add(entry: NewEntry, session: number): void;
  /** Encrypts all that was added, bound to `context`, into one body, given in parts. Ends the draft. Cannot fail. */
  seal(context: Uint8Array): readonly Uint8Array[];
}
