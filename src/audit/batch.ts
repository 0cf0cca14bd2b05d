import type { RecordingEntry } from '../core/evidence.ts';
import { chunkContext } from './chunk.ts';
import { AUDIT, CHUNK, FIXED_HEAD, LINK, linkOf, RECORD_OVERHEAD, writeUInt64 } from './format.ts';
import type { ChunkKey } from './ports.ts';

/** Where a chain stands: what the next record follows. */
export interface Head {
  /** Sequence of the last record; 0 before the first. */
  readonly sequence: number;
  readonly link: Buffer;
}

export interface Encoded {
  readonly bytes: Buffer;
  readonly head: Head;
  /** Where in the bytes each chunk starts, and whose sessions it holds. */
  readonly chunks: readonly { readonly offset: number; readonly sessions: readonly string[] }[];
}

/** Entries of one chunk at most, so that a reader of one session need not open more than this much of others. */
const CHUNK_BYTES = 1024 * 1024;
/** The description must fit a head, whose length is 16 bits. */
const CHUNK_SESSIONS = 512;

/** What was appended since the last write: turned into records in one go. */
export class Batch {
  readonly done: Promise<void>;
  bytes = 0;
  readonly #settle: { resolve: () => void; reject: (reason: Error) => void };
  readonly #events: Buffer[] = [];
  readonly #chunks: OpenChunk[] = [];

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#settle = { resolve, reject };
    // Who does not wait for an append does not want to hear of it either.
    promise.catch(() => undefined);
  }

  audit(event: Buffer): void {
    this.#events.push(event);
    this.bytes += event.length + RECORD_OVERHEAD + FIXED_HEAD;
  }

  record(entry: RecordingEntry, key: ChunkKey): void {
    let chunk = this.#chunks.findLast((open) => open.key === key);
    if (!chunk?.takes(entry)) {
      chunk = new OpenChunk(key, entry.target);
      this.#chunks.push(chunk);
    }
    chunk.add(entry);
    this.bytes += entry.body.length + 64;
  }

  resolve(): void {
    this.#settle.resolve();
  }

  reject(reason: Error): void {
    this.#settle.reject(reason);
  }

  /** Recordings stand before the events of the same batch. */
  encode(from: Head, writer: string, at: number): Encoded {
    let { sequence, link } = from;
    let offset = 0;
    const parts: Buffer[] = [];
    const chunks: { offset: number; sessions: readonly string[] }[] = [];
    const add = (kind: number, description: Buffer, bodyOf: (head: Buffer) => Uint8Array): void => {
      sequence += 1;
      const head = Buffer.allocUnsafe(FIXED_HEAD + description.length);
      writeUInt64(head, sequence, 0);
      writeUInt64(head, at, 8);
      description.copy(head, FIXED_HEAD);
      const body = asBuffer(bodyOf(head));
      link = linkOf(link, { kind, head, body, dropped: false });
      const prefix = Buffer.allocUnsafe(8);
      prefix.writeUInt32BE(4 + head.length + body.length + LINK, 0);
      prefix.writeUInt8(kind, 4);
      prefix.writeUInt8(0, 5);
      prefix.writeUInt16BE(head.length, 6);
      parts.push(prefix, head, body, link);
      offset += RECORD_OVERHEAD + head.length + body.length;
    };
    for (const chunk of this.#chunks) {
      chunks.push({ offset, sessions: chunk.sessions });
      add(CHUNK, chunk.describe(), (head) => chunk.seal(chunkContext(writer, head)));
    }
    for (const event of this.#events) add(AUDIT, NOTHING, () => event);
    return { bytes: Buffer.concat(parts, offset), head: { sequence, link }, chunks };
  }
}

const NOTHING = Buffer.alloc(0);

class OpenChunk {
  readonly key: ChunkKey;
  readonly #sessions = new Set<string>();
  readonly #target: string;
  readonly #entries: RecordingEntry[] = [];
  #bytes = 0;

  constructor(key: ChunkKey, target: string) {
    this.key = key;
    this.#target = target;
  }

  get sessions(): string[] {
    return [...this.#sessions];
  }

  takes(entry: RecordingEntry): boolean {
    const isCrowded = this.#sessions.size >= CHUNK_SESSIONS && !this.#sessions.has(entry.session);
    return this.#bytes + entry.body.length <= CHUNK_BYTES && !isCrowded;
  }

  add(entry: RecordingEntry): void {
    this.#sessions.add(entry.session);
    this.#entries.push(entry);
    this.#bytes += entry.body.length;
  }

  describe(): Buffer {
    const { key, sessions } = this;
    return Buffer.from(JSON.stringify({ key: key.id, target: this.#target, sessions, entries: this.#entries.length }));
  }

  seal(context: Uint8Array): Uint8Array {
    return this.key.seal(this.#entries, this.sessions, context);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
