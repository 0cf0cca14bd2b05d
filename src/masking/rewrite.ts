/**
 * What leaves of bytes that arrived, made in the memory they arrived in: what stays is passed by its place, and moved
 * only when something before it changed its length. So an unchanged stretch costs nothing, and a changed value one
 * short move. Nothing is written where bytes may still be read: what finds no room goes on in memory of its own.
 *
 * Offsets count what leaves, from 0 at `begin`.
 */
export class Rewrite {
  /** Where the next bytes are to be put, after `reserve`: `out` from `to` on. */
  out: Uint8Array = NONE;
  to = 0;

  #bytes: Uint8Array = NONE;
  /** Offset in `out` where its part of what leaves begins. */
  #first = 0;
  /** [#from, #until) of `#bytes` follows, not moved yet. */
  #from = 0;
  #until = 0;
  /** What came before `out`, and how long it is. */
  #closed: Uint8Array[] = [];
  #closedLength = 0;

  /** Starts over. `bytes` may be written from its front up to whatever is still to be read. */
  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.out = bytes;
    this.to = 0;
    this.#first = 0;
    this.#from = 0;
    this.#until = 0;
    if (this.#closedLength > 0) this.#closed = [];
    this.#closedLength = 0;
  }

  get length(): number {
    return this.#closedLength + this.to - this.#first + this.#until - this.#from;
  }

  /** Bytes [start, end) of those that arrived follow as they are. */
  pass(start: number, end: number): void {
    if (start !== this.#until) {
      this.#settle();
      this.#from = start;
    }
    this.#until = end;
  }

  /** Bytes of somebody else's follow. Of those that arrived, the ones before `unread` are not needed any more. */
  put(bytes: Uint8Array, unread: number): void {
    this.reserve(bytes.length, unread);
    this.out.set(bytes, this.to);
    this.to += bytes.length;
  }

  /** Makes room for `length` bytes behind everything so far. Of those that arrived, none from `unread` on is touched. */
  reserve(length: number, unread: number): void {
    this.#settle();
    const limit = this.out === this.#bytes ? unread : this.out.length;
    if (this.to + length > limit) this.#close(length);
  }

  /** Writes a 32-bit number over what leaves at an offset. It must lie in one passed stretch. */
  putInt32(offset: number, value: number): void {
    const [memory, at] = this.#find(offset);
    memory[at] = value >>> 24;
    memory[at + 1] = value >>> 16;
    memory[at + 2] = value >>> 8;
    memory[at + 3] = value;
  }

  /** Takes back everything from an offset on. */
  cut(offset: number): void {
    this.#settle();
    while (offset < this.#closedLength) {
      this.out = this.#closed.pop() ?? NONE;
      this.#closedLength -= this.out.length;
      this.#first = 0;
    }
    this.to = this.#first + offset - this.#closedLength;
  }

  /** What leaves between two offsets, to be looked at before anything else is done. */
  view(start: number, end: number): Uint8Array {
    const moved = this.length - (this.#until - this.#from);
    if (start >= moved) return this.#bytes.subarray(this.#from + start - moved, this.#from + end - moved);
    this.#settle();
    if (start >= this.#closedLength) {
      const shift = this.#first - this.#closedLength;
      return this.out.subarray(start + shift, end + shift);
    }
    return joined([...this.#closed, this.out.subarray(this.#first, this.to)]).subarray(start, end);
  }

  /** All that leaves, mostly where it is; undefined when that is nothing. Good until the memory is written again. */
  end(): Uint8Array | undefined {
    if (this.#closedLength === 0 && this.to === this.#first) {
      return this.#until > this.#from ? this.#bytes.subarray(this.#from, this.#until) : undefined;
    }
    this.#settle();
    const last = this.out.subarray(this.#first, this.to);
    return this.#closedLength === 0 ? last : joined([...this.#closed, last]);
  }

  /** Moves what was passed to where it leaves. */
  #settle(): void {
    const from = this.#from;
    const length = this.#until - from;
    if (length === 0) return;
    this.#from = this.#until;
    if (this.out !== this.#bytes && this.to + length > this.out.length) this.#close(length);
    const { out, to } = this;
    if (out !== this.#bytes) out.set(this.#bytes.subarray(from, from + length), to);
    else if (length > WORTH_A_CALL) out.copyWithin(to, from, from + length);
    else for (let i = 0; i < length; i++) out[to + i] = out[from + i] as number;
    this.to = to + length;
  }

  #close(length: number): void {
    if (this.to > this.#first) {
      this.#closed.push(this.out.subarray(this.#first, this.to));
      this.#closedLength += this.to - this.#first;
    }
    this.out = new Uint8Array(Math.max(CHUNK, length));
    this.#first = 0;
    this.to = 0;
  }

  #find(offset: number): readonly [Uint8Array, number] {
    if (offset >= this.#closedLength + this.to - this.#first) this.#settle();
    let before = this.#closedLength;
    if (offset >= before) return [this.out, this.#first + offset - before];
    for (const piece of this.#closed.toReversed()) {
      before -= piece.length;
      if (offset >= before) return [piece, offset - before];
    }
    throw new Error('nothing leaves at that offset');
  }
}

const NONE = new Uint8Array(0);
const CHUNK = 65_536;
/** Below it a loop copies faster than a call into the engine. */
const WORTH_A_CALL = 16;

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
