import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { describeChunk } from './chunk.ts';
import { CHUNK, type EvidenceRecord, parse } from './format.ts';
import { indexPath, type SegmentFile } from './layout.ts';

/** Where in a segment the chunks of each session start. A convenience: it proves nothing and can be made again. */
export class SegmentIndex {
  readonly sessions: Map<string, number[]> = new Map();

  add(offset: number, sessions: readonly string[]): void {
    for (const session of sessions) {
      const offsets = this.sessions.get(session);
      if (offsets) offsets.push(offset);
      else this.sessions.set(session, [offset]);
    }
  }

  addRecord(record: EvidenceRecord): void {
    if (record.kind === CHUNK) this.add(record.offset, describeChunk(record).sessions);
  }
}

/** Beside a segment that will not grow any more. */
export async function writeIndex(segment: string, size: number, index: SegmentIndex): Promise<void> {
  const path = indexPath(segment);
  const text = JSON.stringify({ v: 1, size, sessions: Object.fromEntries(index.sessions) });
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Offsets for a session; undefined when the index is missing, unreadable or of a segment of another size. */
export function readIndex(segment: SegmentFile, size: number, session: string): readonly number[] | undefined {
  let text: string;
  try {
    text = readFileSync(indexPath(segment.path), 'utf8');
  } catch {
    return undefined;
  }
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { size: indexed, sessions }: { size?: unknown; sessions?: unknown } = value;
  if (indexed !== size || typeof sessions !== 'object' || sessions === null) return undefined;
  const offsets: unknown = Object.entries(sessions).find(([id]) => id === session)?.[1] ?? [];
  return isOffsets(offsets, size) ? offsets : undefined;
}

function isOffsets(value: unknown, size: number): value is number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0 && one < size);
}
