import { chunkContext } from './chunk.ts';
import { AUDIT, CHUNK, FIXED_HEAD, LINK, linkOf, writeUInt64 } from './format.ts';
import type { ChunkDraft } from './ports.ts';

/** Where a chain stands: what the next record follows. */
export interface Head {
  /** Sequence of the last record; 0 before the first. */
  readonly sequence: number;
  readonly link: Buffer;
}

/** Bytes that one UTF-16 unit takes in UTF-8, at most. */
const MOST_BYTES = 3;
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

  /** Events, each the JSON text of one: a record of them all, one a line. */
  events(texts: readonly string[]): void {
    const text = texts.join('\n');
    const bodyStart = this.#begin('');
    this.#reserve(bodyStart + MOST_BYTES * text.length + LINK);
    this.#end(AUDIT, bodyStart, bodyStart + this.#memory.write(text, bodyStart, 'utf8'));
  }

  chunk(description: string, draft: ChunkDraft): void {
    const bodyStart = this.#begin(description);
    const parts = draft.seal(chunkContext(this.#writer, this.#memory.subarray(this.#length + 8, bodyStart)));
    let bodyEnd = bodyStart;
    this.#reserve(parts.reduce((sum, part) => sum + part.length, bodyStart + LINK));
    for (const part of parts) {
      this.#memory.set(part, bodyEnd);
      bodyEnd += part.length;
    }
    this.#end(CHUNK, bodyStart, bodyEnd);
  }

  /** Lays out the head of the next record; says where its body starts. */
  #begin(description: string): number {
    const start = this.#length;
    this.#reserve(start + 8 + FIXED_HEAD + MOST_BYTES * description.length);
    const memory = this.#memory;
    writeUInt64(memory, this.#head.sequence + 1, start + 8);
    writeUInt64(memory, this.#at, start + 16);
    const described = description === '' ? 0 : memory.write(description, start + 8 + FIXED_HEAD, 'utf8');
    memory.writeUInt16BE(FIXED_HEAD + described, start + 6);
    return start + 8 + FIXED_HEAD + described;
  }

  #end(kind: number, bodyStart: number, bodyEnd: number): void {
    const start = this.#length;
    const memory = this.#memory;
    const link = linkOf(this.#head.link, {
      kind,
      head: memory.subarray(start + 8, bodyStart),
      body: memory.subarray(bodyStart, bodyEnd),
      dropped: false,
    });
    memory.writeUInt32BE(bodyEnd + LINK - start - 4, start);
    memory[start + 4] = kind;
    memory[start + 5] = 0;
    memory.set(link, bodyEnd);
    this.#length = bodyEnd + LINK;
    this.#head = { sequence: this.#head.sequence + 1, link };
  }

  #reserve(length: number): void {
    if (length <= this.#memory.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#memory.length));
    this.#memory.copy(grown);
    this.#memory = grown;
  }
}
