/** Time and chance come in through these two ports, so that tests can hold both still. */
export interface Clock {
  /** Milliseconds since the epoch. May jump; never use it to measure a span. */
  now(): number;
  /** Milliseconds from an arbitrary start. Never goes back. */
  monotonic(): number;
}

export interface Random {
  /** `length` bytes from a cryptographic source. */
  bytes(length: number): Uint8Array;
}
