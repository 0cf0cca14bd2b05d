/**
 * Collects regions of buffers in order. Regions that lie side by side in memory become one, so that what
 * nobody touches is handed on as it was read, without a copy. Nobody may write to a buffer once a region of it is here.
 */
export class Gather {
  readonly #pieces: Uint8Array[] = [];
  #memory: ArrayBufferLike | undefined;
  /** Offsets in `#memory`. */
  #start = 0;
  #end = 0;

  region(bytes: Uint8Array, start: number, end: number): void {
    const from = bytes.byteOffset + start;
    const to = bytes.byteOffset + end;
    if (this.#memory === bytes.buffer && this.#end === from) {
      this.#end = to;
      return;
    }
    this.#close();
    this.#memory = bytes.buffer;
    this.#start = from;
    this.#end = to;
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
    if (this.#memory !== undefined && this.#end > this.#start) {
      this.#pieces.push(new Uint8Array(this.#memory, this.#start, this.#end - this.#start));
    }
    this.#memory = undefined;
  }
}
