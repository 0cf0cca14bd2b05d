import { chunkContext } from './chunk.ts';
import { AUDIT, CHUNK, FIXED_HEAD, LINK, linkOf, writeUInt64 } from './format.ts';
import type { ChunkDraft } from './ports.ts';

/** Where a chain stands: what the next record follows. */
export interface Head {
  /** Sequence of the last record; 0 before the first. */
  readonly sequence: number;
  readonly link: Buffer;
}

const SMALL = 64 * 1024;
/** What is larger than this is not kept for the next batch. */
const LARGE = 8 * 1024 * 1024;

/** Records of one chain laid out one after the other, in memory that is used again: fresh memory costs more than its copy. */
export class Records {
  readonly #writer: string;
  #memory: Buffer = Buffer.allocUnsafeSlow(SMALL);
  #length = 0;
  #head: Head = { sequence: 0, link: Buffer.alloc(LINK) };
  #at = 0;

  constructor(writer: string) {
    this.#writer = writer;
  }

  get head(): Head {
    return this.#head;
  }

  /** All that was added since `begin`; valid until the next one. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** `at`: milliseconds since the epoch. */
  begin(head: Head, at: number): void {
    this.#head = head;
    this.#at = at;
    this.#length = 0;
    if (this.#memory.length > LARGE) this.#memory = Buffer.allocUnsafeSlow(SMALL);
  }

  event(json: Buffer): void {
    this.#add(AUDIT, '', () => [json]);
  }

  chunk(description: string, draft: ChunkDraft): void {
    this.#add(CHUNK, description, (head) => draft.seal(chunkContext(this.#writer, head)));
  }

  #add(kind: number, description: string, bodyOf: (head: Buffer) => readonly Uint8Array[]): void {
    const sequence = this.#head.sequence + 1;
    const length = FIXED_HEAD + Buffer.byteLength(description);
    const start = this.#length;
    const bodyStart = start + 8 + length;
    this.#reserve(bodyStart);
    const head = this.#memory.subarray(start + 8, bodyStart);
    writeUInt64(head, sequence, 0);
    writeUInt64(head, this.#at, 8);
    head.write(description, FIXED_HEAD);
    let bodyEnd = bodyStart;
    const parts = bodyOf(head);
    this.#reserve(parts.reduce((sum, part) => sum + part.length, bodyStart + LINK));
    for (const part of parts) {
      this.#memory.set(part, bodyEnd);
      bodyEnd += part.length;
    }
    const link = linkOf(this.#head.link, {
      kind,
      head,
      body: this.#memory.subarray(bodyStart, bodyEnd),
      dropped: false,
    });
    const memory = this.#memory;
    memory.writeUInt32BE(bodyEnd + LINK - start - 4, start);
    memory.writeUInt8(kind, start + 4);
    memory.writeUInt8(0, start + 5);
    memory.writeUInt16BE(length, start + 6);
    memory.set(link, bodyEnd);
    this.#length = bodyEnd + LINK;
    this.#head = { sequence, link };
  }

  #reserve(length: number): void {
    if (length <= this.#memory.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#memory.length));
    this.#memory.copy(grown);
    this.#memory = grown;
  }
}
