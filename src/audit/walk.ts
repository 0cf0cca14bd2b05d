import { type FileHandle, open } from 'node:fs/promises';
import {
  broken,
  decodeHeader,
  decodeRecord,
  type EvidenceRecord,
  linkOf,
  linkOfHeader,
  type SegmentHeader,
} from './format.ts';
import type { SegmentFile } from './layout.ts';

/** One segment read into memory and checked record by record against the link it must follow. */
export interface Walk {
  readonly header: SegmentHeader;
  /** Bytes up to which everything verifies. */
  readonly end: number;
  /** The last record that verifies, and its link; those of the segment before where there is none. */
  readonly sequence: number;
  readonly link: Buffer;
  /** What the next record in this segment follows. */
  readonly running: Buffer;
  /** What is wrong at `end`: nothing, a record that is not all there, or a record that does not verify. */
  readonly fault: WalkFault | undefined;
  readonly size: number;
}

export type WalkFault =
  | { readonly kind: 'torn'; readonly bytes: number; readonly zeros: boolean }
  | { readonly kind: 'broken'; readonly what: string };

/**
 * Checks one segment: that it is the one its writer and place in the chain call for, then each record's sequence and
 * link. Calls `visit` for each that verifies. Throws Fault EVIDENCE_BROKEN when the header is not the one expected.
 */
export function walkSegment(
  bytes: Buffer,
  expected: { readonly writer: string; readonly sequence: number; readonly link: Buffer },
  visit: (record: EvidenceRecord) => void = () => undefined,
): Walk {
  const { header, end: start } = decodeHeader(bytes);
  if (header.writer !== expected.writer) throw broken(`it belongs to ${header.writer}`);
  if (header.first !== expected.sequence + 1)
    throw broken(`it starts at ${header.first}, not ${expected.sequence + 1}`);
  if (header.previous !== expected.link.toString('hex')) throw broken('it does not follow the segment before it');
  let link = linkOfHeader(expected.link, bytes.subarray(0, start));
  let { sequence } = expected;
  let offset = start;
  const stop = (fault: WalkFault | undefined): Walk => ({
    header,
    end: offset,
    sequence,
    link: offset === start ? expected.link : link,
    running: link,
    fault,
    size: bytes.length,
  });
  while (offset < bytes.length) {
    let record: EvidenceRecord | undefined;
    try {
      record = decodeRecord(bytes, offset);
    } catch (error) {
      const rest = bytes.subarray(offset);
      if (isZero(rest)) return stop({ kind: 'torn', bytes: rest.length, zeros: true });
      return stop({ kind: 'broken', what: error instanceof Error ? error.message : String(error) });
    }
    if (!record) return stop({ kind: 'torn', bytes: bytes.length - offset, zeros: false });
    const next = linkOf(link, record);
    if (!next.equals(record.link)) return stop({ kind: 'broken', what: 'a record does not match its link' });
    if (record.sequence !== sequence + 1) {
      return stop({ kind: 'broken', what: `sequence ${record.sequence} follows ${sequence}` });
    }
    visit(record);
    link = next;
    sequence = record.sequence;
    offset = record.end;
  }
  return stop(undefined);
}

/** Records of a segment from `offset` on, unchecked, as far as they are complete. Throws Fault EVIDENCE_BROKEN. */
export function* recordsIn(bytes: Buffer, offset: number): Generator<EvidenceRecord> {
  for (let at = offset; ; ) {
    const record = decodeRecord(bytes, at);
    if (!record) return;
    yield record;
    at = record.end;
  }
}

/** A segment's bytes; never more than it may grow to. */
export async function readSegment(file: SegmentFile): Promise<Buffer> {
  const handle = await open(file.path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > MAX_SEGMENT) throw broken(`${file.path} is larger than a segment can be`);
    return await readAt(handle, 0, size);
  } finally {
    await handle.close();
  }
}

/** A segment is closed once it is over 64 MB; the write that takes it there may be this much longer. */
const MAX_SEGMENT = 512 * 1024 * 1024;

/** Up to `length` bytes; fewer where the file ends. */
export async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
