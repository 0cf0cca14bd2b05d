import { Fault } from '../../core/fault.ts';
import { decodeUtf8 } from './text.ts';

/** Reads big-endian fields from one complete message body. Never reads past its end; views are not copies. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
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
