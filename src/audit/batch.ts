import type { NewEntry } from '../core/evidence.ts';
import type { ChunkDraft, ChunkKey } from './ports.ts';
import type { Records } from './records.ts';

/** Where in the bytes a chunk starts, and whose sessions it holds. */
export interface ChunkPlace {
  readonly offset: number;
  readonly sessions: readonly string[];
}

/** Entries of one chunk at most, so that a reader of one session need not open more than this much of others. */
const CHUNK_BYTES = 1024 * 1024;
/** The description must fit a head, whose length is 16 bits. */
const CHUNK_SESSIONS = 512;

/** What was appended since the last write: turned into records in one go. */
export class Batch {
  readonly done: Promise<void>;
  /** About as many as will be written. */
  bytes = 0;
  readonly #settle: { resolve: () => void; reject: (reason: Error) => void };
  readonly #events: string[] = [];
  readonly #chunks: OpenChunk[] = [];
  #counted = 0;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#settle = { resolve, reject };
    // Who does not wait for an append does not want to hear of it either.
    promise.catch(() => undefined);
  }

  /** `event`: its JSON text. */
  audit(event: string): void {
    this.#events.push(event);
    this.bytes += event.length + 1;
  }

  record(entry: NewEntry, key: ChunkKey): void {
    let chunk = this.#chunks.findLast((open) => open.key === key);
    if (!chunk?.takes(entry)) {
      chunk = new OpenChunk(key, entry.target);
      this.#chunks.push(chunk);
    }
    this.bytes += chunk.add(entry) + 64;
  }

  /** By how many bytes it grew since this was asked last. */
  grown(): number {
    const grown = this.bytes - this.#counted;
    this.#counted = this.bytes;
    return grown;
  }

  resolve(): void {
    this.#settle.resolve();
  }

  reject(reason: Error): void {
    this.#settle.reject(reason);
  }

  /** Once only. Recordings stand before the events of the same batch. */
  layOut(records: Records): ChunkPlace[] {
    const places = this.#chunks.map((chunk): ChunkPlace => {
      const offset = records.bytes.length;
      chunk.layOut(records);
      return { offset, sessions: chunk.sessions };
    });
    if (this.#events.length > 0) records.events(this.#events);
    return places;
  }
}

class OpenChunk {
  readonly key: ChunkKey;
  readonly #target: string;
  /** Sessions with entries in it, with their numbers. */
  readonly #numbers = new Map<string, number>();
  readonly #draft: ChunkDraft;
  #entries = 0;

  constructor(key: ChunkKey, target: string) {
    this.key = key;
    this.#target = target;
    this.#draft = key.begin();
  }

  get sessions(): string[] {
    return [...this.#numbers.keys()];
  }

  takes(entry: NewEntry): boolean {
    const isCrowded = this.#numbers.size >= CHUNK_SESSIONS && !this.#numbers.has(entry.session);
    return this.#draft.length + entry.body.length <= CHUNK_BYTES && !isCrowded;
  }

  /** How many bytes it grew by. */
  add(entry: NewEntry): number {
    let number = this.#numbers.get(entry.session);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(entry.session, number);
    }
    const before = this.#draft.length;
    this.#draft.add(entry, number);
    this.#entries += 1;
    return this.#draft.length - before;
  }

  layOut(records: Records): void {
    const { key, sessions } = this;
    const description = { key: key.id, target: this.#target, sessions, entries: this.#entries };
    records.chunk(JSON.stringify(description), this.#draft);
  }
}
