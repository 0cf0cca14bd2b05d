import type { NewEntry, RecordingEntry, RecordingKind } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';

/*
 * The plain text of a chunk: entries one after the other, each u32 length of what follows, u8 kind, u16 number of the
 * session in the chunk's list, u32 operation, u64 milliseconds, body. Big-endian.
 */

const KINDS: readonly RecordingKind[] = ['open', 'asked', 'refused', 'frames', 'done', 'close'];
const FIXED = 4 + 1 + 2 + 4 + 8;

/** Memory of chunks that were sealed, for the next ones: fresh memory costs more than what is copied into it. */
const spare: Buffer[] = [];
const MOST_SPARE = 4;
const SMALL = 16 * 1024;
const LARGE = 2 * 1024 * 1024;

/** The plain text of one chunk while it grows. Entries are copied when they are added. */
export class PlainEntries {
  #memory: Buffer = spare.pop() ?? Buffer.allocUnsafeSlow(SMALL);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `session`: its number in the chunk's list. */
  add({ kind, sequence, at, body }: NewEntry, session: number): void {
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const start = this.#length;
    const end = start + FIXED + size;
    if (end > this.#memory.length) this.#grow(end);
    const memory = this.#memory;
    const time = Math.max(0, Math.trunc(at));
    memory.writeUInt32BE(FIXED - 4 + size, start);
    memory.writeUInt8(KINDS.indexOf(kind) + 1, start + 4);
    memory.writeUInt16BE(session, start + 5);
    memory.writeUInt32BE(sequence >>> 0, start + 7);
    memory.writeUInt32BE(Math.floor(time / 0x1_0000_0000), start + 11);
    memory.writeUInt32BE(time % 0x1_0000_0000, start + 15);
    if (typeof body === 'string') memory.write(body, start + FIXED, size, 'utf8');
    else memory.set(body, start + FIXED);
    this.#length = end;
  }

  /** Hands over everything and forgets it: the bytes may be looked at during the call only. */
  take<T>(use: (plain: Buffer) => T): T {
    const taken = use(this.#memory.subarray(0, this.#length));
    if (spare.length < MOST_SPARE && this.#memory.length <= LARGE) spare.push(this.#memory);
    this.#memory = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }

  #grow(least: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(least, 2 * this.#memory.length));
    this.#memory.copy(grown, 0, 0, this.#length);
    this.#memory = grown;
  }
}

/** Throws Fault EVIDENCE_BROKEN. Bodies are views of `bytes`. */
export function* decodeEntries(
  bytes: Uint8Array,
  chunk: { readonly target: string; readonly sessions: readonly string[] },
): Generator<RecordingEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < FIXED) throw malformed();
    const end = at + 4 + view.getUint32(at);
    const kind = KINDS[view.getUint8(at + 4) - 1];
    const session = chunk.sessions[view.getUint16(at + 5)];
    const time = view.getBigUint64(at + 11);
    if (end < at + FIXED || end > bytes.length || kind === undefined || session === undefined) throw malformed();
    if (time > Number.MAX_SAFE_INTEGER) throw malformed();
    yield {
      session,
      target: chunk.target,
      kind,
      sequence: view.getUint32(at + 7),
      at: Number(time),
      body: bytes.subarray(at + FIXED, end),
    };
    at = end;
  }
}

function malformed(): Fault {
  return new Fault('EVIDENCE_BROKEN', 'a chunk of a recording cannot be read');
}
