import type { RecordingEntry, RecordingKind } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';

/*
 * The plain text of a chunk: entries one after the other, each u32 length of what follows, u8 kind, u16 number of the
 * session in the chunk's list, u32 operation, u64 milliseconds, body. Big-endian.
 */

const KINDS: readonly RecordingKind[] = ['open', 'asked', 'refused', 'frames', 'done', 'close'];
const FIXED = 4 + 1 + 2 + 4 + 8;

export function encodeEntries(entries: readonly RecordingEntry[], sessions: readonly string[]): Buffer {
  const numbers = new Map(sessions.map((session, number) => [session, number]));
  const bytes = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + FIXED + entry.body.length, 0));
  let at = 0;
  for (const entry of entries) {
    at = bytes.writeUInt32BE(FIXED - 4 + entry.body.length, at);
    at = bytes.writeUInt8(KINDS.indexOf(entry.kind) + 1, at);
    at = bytes.writeUInt16BE(numbers.get(entry.session) ?? 0xffff, at);
    at = bytes.writeUInt32BE(entry.sequence >>> 0, at);
    at = bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.trunc(entry.at))), at);
    bytes.set(entry.body, at);
    at += entry.body.length;
  }
  return bytes;
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
