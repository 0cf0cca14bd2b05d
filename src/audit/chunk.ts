import { broken, type EvidenceRecord, FIXED_HEAD, parse } from './format.ts';

/** What stands in the clear beside an encrypted chunk of recordings. */
export interface ChunkDescription {
  readonly key: string;
  readonly target: string;
  /** Sessions with entries in it, in the order that the entries number them. */
  readonly sessions: readonly string[];
  readonly entries: number;
}

/** What the encryption binds a chunk to: its writer and its whole head (sequence, time, key, target, sessions). */
export function chunkContext(writer: string, head: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${writer}\n`), head]);
}

/** Throws Fault EVIDENCE_BROKEN. */
export function describeChunk(record: EvidenceRecord): ChunkDescription {
  const value = parse(record.head.toString('utf8', FIXED_HEAD));
  if (!isDescription(value)) throw broken('a chunk has no readable description');
  return value;
}

function isDescription(value: unknown): value is ChunkDescription {
  if (typeof value !== 'object' || value === null) return false;
  const { key, target, sessions, entries }: Partial<Record<keyof ChunkDescription, unknown>> = value;
  const isList = Array.isArray(sessions) && sessions.every((session) => typeof session === 'string');
  return typeof key === 'string' && typeof target === 'string' && isList && typeof entries === 'number';
}
