/**
 * Collects regions of buffers in order. Regions that lie side by side in the same buffer become one, so that what
 * nobody touches is handed on as it was read, without a copy. Nobody may write to a buffer once a region of it is here.
 */
export class Gather {
  readonly #pieces: Uint8Array[] = [];
  #bytes: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  region(bytes: Uint8Array, start: number, end: number): void {
    if (this.#bytes === bytes && this.#end === start) {
      this.#end = end;
      return;
    }
    this.#close();
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  piece(bytes: Uint8Array): void {
    this.region(bytes, 0, bytes.length);
  }

  /** Everything since the last take, in one array; undefined when there is nothing. */
  take(): Uint8Array | undefined {
    this.#close();
    const [first, second] = this.#pieces;
    if (first === undefined) return undefined;
    const whole = second === undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces.length = 0;
    return whole;
  }

  #close(): void {
    if (this.#bytes !== undefined && this.#end > this.#start) {
      this.#pieces.push(this.#bytes.subarray(this.#start, this.#end));
    }
    this.#bytes = undefined;
  }
}
