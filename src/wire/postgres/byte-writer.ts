import { encodeUtf8 } from './text.ts';

/** Builds messages one after the other in a growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): this {
    const at = this.#grow(1); // may replace the view
    this.#view.setUint8(at, value);
    return this;
  }

  int16(value: number): this {
    const at = this.#grow(2); // may replace the view
    this.#view.setInt16(at, value);
    return this;
  }

  int32(value: number): this {
    const at = this.#grow(4); // may replace the view
    this.#view.setInt32(at, value);
    return this;
  }

  uint32(value: number): this {
    const at = this.#grow(4); // may replace the view
    this.#view.setUint32(at, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Text and its terminator. The text must hold no NUL: it would end the string early for the reader. */
  cstring(text: string): this {
    if (text.includes('\0')) throw new TypeError('a NUL inside a C string');
    return this.bytes(encodeUtf8(text)).byte(0);
  }

  /** One message: type byte, length, and whatever `body` writes. */
  message(type: number, body?: (writer: this) => void): this {
    this.byte(type);
    const at = this.#grow(4);
    body?.(this);
    this.#view.setUint32(at, this.#length - at);
    return this;
  }

  /** What was written, as a view of the writer's buffer; the writer must not be used after. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(by: number): number {
    const at = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
