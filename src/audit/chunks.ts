import { type FileHandle, open } from 'node:fs/promises';
import { type ChunkDescription, chunkContext, describeChunk } from './chunk.ts';
import { broken, CHUNK, decodeHeader, decodeRecord, type EvidenceRecord, MAX_RECORD } from './format.ts';
import { readIndex } from './index-file.ts';
import { type SegmentFile, segmentsOf, writersIn } from './layout.ts';
import { readAt, recordsIn } from './walk.ts';

/** An encrypted piece of recordings, and what it is bound to. */
export interface StoredChunk extends ChunkDescription {
  readonly writer: string;
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Undefined where retention has dropped it. */
  readonly body: Buffer | undefined;
  readonly context: Buffer;
}

/**
 * The chunks with entries of a session, in order. Finished segments are asked through their index and read through
 * where it is missing; of the one being written to, all is read.
 */
export async function* chunksOf(dir: string, session: string): AsyncGenerator<StoredChunk> {
  for (const writer of writersIn(dir)) {
    for (const segment of segmentsOf(dir, writer)) {
      const handle = await open(segment.path, 'r');
      try {
        for await (const record of recordsOf(handle, segment, session)) {
          const description = describeChunk(record);
          if (!description.sessions.includes(session)) continue;
          yield {
            ...description,
            writer,
            sequence: record.sequence,
            at: record.at,
            body: record.dropped ? undefined : record.body,
            context: chunkContext(writer, record.head),
          };
        }
      } finally {
        await handle.close();
      }
    }
  }
}

async function* recordsOf(handle: FileHandle, segment: SegmentFile, session: string): AsyncGenerator<EvidenceRecord> {
  const { size } = await handle.stat();
  const offsets = readIndex(segment, size, session);
  if (!offsets) {
    const bytes = await readAt(handle, 0, size);
    for (const record of recordsIn(bytes, decodeHeader(bytes).end)) if (record.kind === CHUNK) yield record;
    return;
  }
  for (const offset of offsets) {
    const length = (await readAt(handle, offset, 4)).readUInt32BE(0);
    if (length > MAX_RECORD) throw broken('a record has an impossible length');
    const record = decodeRecord(await readAt(handle, offset, 4 + length), 0);
    if (record?.kind !== CHUNK) throw broken(`${segment.path} has no chunk at ${offset}`);
    yield record;
  }
}
