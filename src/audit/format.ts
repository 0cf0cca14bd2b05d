import { hash } from 'node:crypto';
import { Fault } from '../core/fault.ts';

/*
 * The bytes of a segment file; docs/reference/evidence-format.md is the description for others. Integers are big-endian.
 *
 *   segment  magic, u32 length, header (JSON)
 *   record   u32 length of what follows, u8 kind, u8 flags, u16 length of head, head, body, link (32)
 *   head     u64 sequence, u64 milliseconds, and for a chunk its description (JSON)
 *
 * The body of an audit record is events, one JSON object a line; that of a chunk is encrypted.
 *
 * A link is SHA-256(previous link, kind, length of head, head, SHA-256(body)). The first record of a segment follows
 * SHA-256(last link of the segment before, header). So a chunk's body may be dropped, its digest left in its place,
 * and the chain still verifies; an audit event's may not.
 */

export const MAGIC: Buffer = Buffer.from('SLPYEV1\n', 'latin1');
export const LINK: number = 32;
/** A record longer than this is not one. */
export const MAX_RECORD: number = 32 * 1024 * 1024;
const MAX_HEADER = 4096;
/** Bytes that hold the header of any segment. */
export const LONGEST_HEADER: number = MAGIC.length + 4 + MAX_HEADER;
const MAX_WRITER = 80;

export const FIXED_HEAD: number = 16;

export const AUDIT = 1;
export const CHUNK = 2;
const DROPPED = 1;

export interface SegmentHeader {
  readonly v: 1;
  readonly writer: string;
  /** Sequence of the first record. */
  readonly first: number;
  /** Link before it, hex; the genesis of the writer for the very first. */
  readonly previous: string;
  readonly at: string;
}

export interface EvidenceRecord {
  readonly kind: number;
  readonly dropped: boolean;
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly head: Buffer;
  /** The digest of the body where it was dropped. */
  readonly body: Buffer;
  readonly link: Buffer;
  readonly offset: number;
  /** Offset after the record. */
  readonly end: number;
}

/** What a chain starts from; names the writer, so that no chain can pass for another's. */
export function genesis(writer: string): Buffer {
  return sha256(Buffer.from(`sallyport evidence 1\n${writer}`));
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.allocUnsafe(MAGIC.length + 4 + json.length);
  MAGIC.copy(bytes);
  bytes.writeUInt32BE(json.length, MAGIC.length);
  json.copy(bytes, MAGIC.length + 4);
  return bytes;
}

/** Throws Fault EVIDENCE_BROKEN. */
export function decodeHeader(bytes: Buffer): { header: SegmentHeader; end: number } {
  const start = MAGIC.length + 4;
  if (bytes.length < start || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw broken('it is not a segment file');
  const length = bytes.readUInt32BE(MAGIC.length);
  if (length > MAX_HEADER || bytes.length < start + length) throw broken('its header is cut off');
  const header = parse(bytes.toString('utf8', start, start + length));
  if (!isHeader(header)) throw broken('its header cannot be read');
  return { header, end: start + length };
}

/** The link that the first record of a segment follows. */
export function linkOfHeader(previous: Uint8Array, headerBytes: Uint8Array): Buffer {
  return sha256(Buffer.concat([previous, headerBytes]));
}

/** Reads the record at `offset`; undefined when the bytes end before it does. Throws Fault EVIDENCE_BROKEN. */
export function decodeRecord(bytes: Buffer, offset: number): EvidenceRecord | undefined {
  if (bytes.length - offset < 4) return undefined;
  const length = bytes.readUInt32BE(offset);
  if (length < 4 + FIXED_HEAD + LINK || length > MAX_RECORD) throw broken('a record has an impossible length');
  const end = offset + 4 + length;
  if (end > bytes.length) return undefined;
  const kind = bytes.readUInt8(offset + 4);
  const flags = bytes.readUInt8(offset + 5);
  const headStart = offset + 8;
  const bodyStart = headStart + bytes.readUInt16BE(offset + 6);
  if (bodyStart > end - LINK || bodyStart - headStart < FIXED_HEAD) throw broken('a record has an impossible head');
  if (kind !== AUDIT && kind !== CHUNK) throw broken('a record is of an unknown kind');
  const dropped = flags === DROPPED && kind === CHUNK && end - LINK - bodyStart === LINK;
  if (flags !== 0 && !dropped) throw broken('a record has impossible flags');
  return {
    kind,
    dropped,
    sequence: readUInt64(bytes, headStart),
    at: readUInt64(bytes, headStart + 8),
    head: bytes.subarray(headStart, bodyStart),
    body: bytes.subarray(bodyStart, end - LINK),
    link: bytes.subarray(end - LINK, end),
    offset,
    end,
  };
}

const scratch = Buffer.alloc(LINK + 3 + 0xffff + LINK);

/** The link of a record, given the one before. */
export function linkOf(
  previous: Uint8Array,
  record: Pick<EvidenceRecord, 'kind' | 'head' | 'body' | 'dropped'>,
): Buffer {
  const { kind, head, body, dropped } = record;
  scratch.set(previous, 0);
  scratch[LINK] = kind;
  scratch.writeUInt16BE(head.length, LINK + 1);
  scratch.set(head, LINK + 3);
  scratch.set(dropped ? body : sha256(body), LINK + 3 + head.length);
  return sha256(scratch.subarray(0, LINK + 3 + head.length + LINK));
}

/** By way of a string: Node's one-shot hash takes three times as long to make a buffer of a few bytes. */
export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** Milliseconds and sequences stay below 2^53. */
export function writeUInt64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), offset);
  bytes.writeUInt32BE(value % 0x1_0000_0000, offset + 4);
}

function readUInt64(bytes: Buffer, offset: number): number {
  const value = bytes.readUInt32BE(offset) * 0x1_0000_0000 + bytes.readUInt32BE(offset + 4);
  if (!Number.isSafeInteger(value)) throw broken('a number is out of range');
  return value;
}

function isHeader(value: unknown): value is SegmentHeader {
  if (typeof value !== 'object' || value === null) return false;
  const { v, writer, first, previous, at }: Partial<Record<keyof SegmentHeader, unknown>> = value;
  return (
    v === 1 &&
    typeof writer === 'string' &&
    writer.length <= MAX_WRITER &&
    typeof first === 'number' &&
    Number.isSafeInteger(first) &&
    first > 0 &&
    typeof previous === 'string' &&
    /^[0-9a-f]{64}$/.test(previous) &&
    typeof at === 'string'
  );
}

/** Undefined for what is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function broken(what: string): Fault {
  return new Fault('EVIDENCE_BROKEN', what);
}
