import { Fault } from '../../core/fault.ts';
import { decodeUtf8 } from './text.ts';

/**
 * Reads big-endian fields from one complete message body, which must lie in the bytes. Never reads past its end; views are
 * not copies.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#offset = start;
    this.#end = Math.min(end, bytes.length);
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint16(): number {
    const at = this.#take(2);
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  int32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** The next `length` bytes, valid as long as the message's buffer is. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** A NUL-terminated string. The terminator must lie inside the message. */
  cstring(): string {
    const at = this.#bytes.indexOf(0, this.#offset);
    if (at === this.#offset && at < this.#end) {
      this.#offset += 1;
      return '';
    }
    if (at < 0 || at >= this.#end) throw new Fault('PROTOCOL_MALFORMED', 'string has no terminator');
    const text = this.bytes(at - this.#offset);
    this.#offset += 1;
    return decodeUtf8(text);
  }

  /** The message must be used up: bytes nobody read are bytes nobody checked. */
  done(): void {
    if (this.remaining > 0) throw new Fault('PROTOCOL_MALFORMED', `${this.remaining} bytes after the last field`);
  }

  #take(length: number): number {
    if (length < 0 || length > this.remaining) {
      throw new Fault('PROTOCOL_MALFORMED', `need ${length} bytes, ${this.remaining} left`);
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
