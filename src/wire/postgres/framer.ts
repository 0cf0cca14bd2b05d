import { Fault } from '../../core/fault.ts';

/**
 * What `Framer.next` found: a whole message, the header of one too large to be kept, a piece of that one's body, or
 * nothing more in the bytes at hand.
 */
export type Found = 'frame' | 'large' | 'piece' | 'none';

/** PostgreSQL's own limit on a message (MaxAllocSize, 1 GB less one byte). */
const HARD_LIMIT = 0x3fff_ffff;

const HEADER = 5;

/**
 * Cuts a stream into messages `type · int32 length · body`. Messages up to `limitOf(type)` bytes of body come whole;
 * larger ones as a header followed by pieces, so that the owner can relay or discard them without keeping them.
 * Throws Fault PROTOCOL_MALFORMED on a length below 4, PROTOCOL_LIMIT over 1 GB, PROTOCOL_UNEXPECTED where `limitOf`
 * knows no such type; the stream is unusable then.
 *
 * After `next`, [start, end) of `bytes` is what was found. The bytes stay valid: what was handed out is
 * never written again.
 */
export class Framer {
  readonly #limitOf: (type: number) => number | undefined;
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  type = 0;
  /** Body length of the message at hand. */
  length = 0;
  /** For a piece: whether the message ends with it. */
  last = false;

  #next = 0;
  #have = 0;
  #large = 0;
  /** Whether `bytes` was allocated here: then what lies past `#have` is free to be written. */
  #owned = false;

  constructor(limitOf: (type: number) => number | undefined) {
    this.#limitOf = limitOf;
  }

  /** Bytes kept for a message that is not complete. */
  get pending(): number {
    return this.#have - this.#next;
  }

  /** Hands over a chunk; it must not be written to afterwards. Call `next` until `none` before the following push. */
  push(chunk: Uint8Array): void {
    const kept = this.#have - this.#next;
    if (kept === 0) {
      this.bytes = chunk;
      this.#owned = false;
      this.#next = 0;
      this.#have = chunk.length;
      return;
    }
    const room = this.bytes.length - this.#have;
    if (this.#owned && room >= chunk.length) {
      this.bytes.set(chunk, this.#have);
      this.#have += chunk.length;
      return;
    }
    // Twice what was received, not what the header promises: a promise costs the sender nothing.
    const larger = new Uint8Array(2 * (kept + chunk.length));
    larger.set(this.bytes.subarray(this.#next, this.#have));
    larger.set(chunk, kept);
    this.bytes = larger;
    this.#owned = true;
    this.#next = 0;
    this.#have = kept + chunk.length;
  }

  /**
   * Goes on in bytes [start, end) of the owner's own memory, in place of anything pushed before: what is still needed of
   * that stands at their front. The owner may write to the memory again once it has moved on from it.
   */
  window(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.#owned = false;
    this.#next = start;
    this.#have = end;
  }

  /** What was pushed and not found yet. For whoever stops framing and hands the stream on. */
  rest(): Uint8Array {
    return this.bytes.subarray(this.#next, this.#have);
  }

  next(): Found {
    if (this.#large > 0) return this.#piece();
    const available = this.#have - this.#next;
    if (available < HEADER) return 'none';
    const at = this.#next;
    const bytes = this.bytes;
    const type = bytes[at] ?? 0;
    const length =
      (((bytes[at + 1] ?? 0) << 24) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 8) |
        (bytes[at + 4] ?? 0)) >>>
      0;
    if (length < 4) throw new Fault('PROTOCOL_MALFORMED', `message length ${length} is below its own size`);
    if (length > HARD_LIMIT) throw new Fault('PROTOCOL_LIMIT', `message of ${length} bytes`);
    const limit = this.#limitOf(type);
    if (limit === undefined)
      throw new Fault('PROTOCOL_UNEXPECTED', `unknown message type 0x${type.toString(16).padStart(2, '0')}`);
    const body = length - 4;
    if (body > limit) {
      this.#found(type, at, at + HEADER, body);
      this.#large = body;
      return 'large';
    }
    if (available < body + HEADER) return 'none';
    this.#found(type, at, at + HEADER + body, body);
    return 'frame';
  }

  #piece(): Found {
    const available = Math.min(this.#have - this.#next, this.#large);
    if (available === 0) return 'none';
    this.#large -= available;
    this.last = this.#large === 0;
    this.#found(this.type, this.#next, this.#next + available, this.length);
    return 'piece';
  }

  #found(type: number, start: number, end: number, length: number): void {
    this.type = type;
    this.start = start;
    this.end = end;
    this.length = length;
    this.#next = end;
  }
}
