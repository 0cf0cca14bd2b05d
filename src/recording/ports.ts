/** Wraps the keys of recordings under the root key. Implemented by the secrets room. */
export interface KeyWrap {
  /** Which root key. */
  readonly keyId: string;
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** Throws Fault SECRET_UNAVAILABLE. */
  open(sealed: Uint8Array, context: string): Uint8Array;
}

/** Where recordings are read from. Implemented over the evidence files by the audit room. */
export interface ChunkSource {
  /** Every chunk with entries of the session, in order. */
  chunks(session: string): AsyncIterable<SealedChunk>;
}

export interface SealedChunk {
  readonly key: string;
  readonly target: string;
  readonly sessions: readonly string[];
  /** Undefined where retention has dropped it. */
  readonly body: Uint8Array | undefined;
  /** What the encryption binds it to. */
  readonly context: Uint8Array;
}
