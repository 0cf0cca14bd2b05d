/** One way of masking the values of one field. Keeps no state between values. */
export interface Masker {
  /**
   * Most bytes that the mask of a value of `length` bytes may take: at most a multiple of the length more than for an
   * empty value.
   */
  most(length: number): number;
  /**
   * Writes the mask of `from[start, end)` to `to` at `at` and returns its length, -1 for NULL. The value is never
   * NULL itself, and may be any bytes: a value that is not of its type is redacted.
   */
  mask(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number;
}

/** Always the same bytes; undefined: NULL. */
export function constantMask(bytes: Uint8Array | undefined): Masker {
  if (bytes === undefined) return { most: () => 0, mask: () => -1 };
  return {
    most: () => bytes.length,
    mask: (_from, _start, _end, to, at) => {
      to.set(bytes, at);
      return bytes.length;
    },
  };
}
