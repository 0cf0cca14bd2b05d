import { closeSync, fdatasync, fsyncSync, ftruncate, openSync, write, writeSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeHeader, type SegmentHeader } from './format.ts';

/** The segment that a writer appends to. One operation at a time, apart from `sync`. */
export class OpenSegment {
  readonly path: string;
  #size: number;
  readonly #file: FileHandle;
  /** A failed write may have left bytes after `size`. */
  #isLittered = false;

  private constructor(path: string, file: FileHandle, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Made whole under another name first, so that a segment without its header is never seen. */
  static async create(path: string, header: SegmentHeader): Promise<OpenSegment> {
    const bytes = encodeHeader(header);
    const file = await open(`${path}.new`, 'w', 0o600);
    await file.write(bytes);
    await file.datasync();
    await rename(`${path}.new`, path);
    syncDirectory(dirname(path));
    return new OpenSegment(path, file, bytes.length);
  }

  /** Goes on after `size` bytes; what stands there is cut off. */
  static async reopen(path: string, size: number): Promise<OpenSegment> {
    const file = await open(path, 'r+');
    await file.truncate(size);
    await file.datasync();
    return new OpenSegment(path, file, size);
  }

  /**
   * Appends all of the bytes or, when it rejects, none that a reader will take for a record. `quick` tries it on this
   * thread first: a twentieth of the cost, as long as the write does not have to wait for the disk. Undefined: it is
   * done already.
   */
  append(bytes: Buffer, quick: boolean): Promise<void> | undefined {
    return quick && !this.#isLittered && this.#appendNow(bytes) ? undefined : this.#appendPatiently(bytes);
  }

  /** What fails here, or stops in the middle, is tried again by whoever can wait. */
  #appendNow(bytes: Buffer): boolean {
    this.#isLittered = true;
    try {
      if (writeSync(this.#file.fd, bytes, 0, bytes.length, this.#size) !== bytes.length) return false;
    } catch {
      return false;
    }
    this.#appended(bytes);
    return true;
  }

  async #appendPatiently(bytes: Buffer): Promise<void> {
    if (this.#isLittered) await this.#clean();
    this.#isLittered = true;
    try {
      for (let written = 0; written < bytes.length; ) written += await this.#write(bytes, written);
    } catch (error) {
      await this.#clean().catch(() => undefined);
      throw error;
    }
    this.#appended(bytes);
  }

  #appended(bytes: Buffer): void {
    this.#size += bytes.length;
    this.#isLittered = false;
  }

  /** Takes back the last append, when it could not be made durable. */
  async retract(length: number): Promise<void> {
    this.#size -= length;
    this.#isLittered = true;
    await this.#clean();
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#file.fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #write(bytes: Buffer, from: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#file.fd, bytes, from, bytes.length - from, this.#size + from, (error, written) => {
        if (error) reject(error);
        else if (written === 0) reject(new Error('nothing could be written'));
        else resolve(written);
      });
    });
  }

  #clean(): Promise<void> {
    return new Promise((resolve, reject) => {
      ftruncate(this.#file.fd, this.#size, (error) => {
        if (error) return reject(error);
        this.#isLittered = false;
        resolve();
      });
    });
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
