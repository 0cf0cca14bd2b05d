import { open } from 'node:fs/promises';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { AuditEvent } from '../core/evidence.ts';
import { asFault, type Fault } from '../core/fault.ts';
import { AUDIT, broken, decodeHeader, type EvidenceRecord, LONGEST_HEADER, parse } from './format.ts';
import { type SegmentFile, segmentsOf, writersIn } from './layout.ts';
import { readAt, readSegment, recordsIn } from './walk.ts';

export interface AuditQuery {
  /** The newest that match; all when undefined. */
  readonly last?: number | undefined;
  readonly types?: readonly string[] | undefined;
  readonly session?: string | undefined;
  readonly target?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Goes on with what is appended, until `signal` aborts. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of a segment that cannot be read on; the rest is read. Without it, that is a Fault. */
  readonly broken?: ((file: string, fault: Fault) => void) | undefined;
}

export interface FoundEvent {
  readonly writer: string;
  /** Of the record it stands in, maybe among others. */
  readonly sequence: number;
  readonly event: AuditEvent;
}

const POLL = 200;
/** What `last` may ask for. */
const MOST = 100_000;

/**
 * Reads the audit events of all writers, by time; in one chain always in order. Reads the files as they are, while
 * they are written to as well, and verifies nothing: `verifyEvidence` does. Throws Fault EVIDENCE_BROKEN where a
 * record cannot be read at all.
 */
export async function* readAudit(dir: string, query: AuditQuery = {}): AsyncGenerator<FoundEvent> {
  const cursors = new Map<string, Cursor>();
  if (query.last === undefined) {
    yield* merge(writersIn(dir).map((writer) => eventsFrom(dir, writer, cursorOf(cursors, writer), query)));
  } else {
    yield* await newest(dir, Math.min(query.last, MOST), cursors, query);
  }
  while (query.follow && !query.signal?.aborted) {
    await sleep(POLL, undefined, query.signal ? { signal: query.signal } : {}).catch(() => undefined);
    yield* merge(writersIn(dir).map((writer) => eventsFrom(dir, writer, cursorOf(cursors, writer), query)));
  }
}

/** How far a chain has been read. */
interface Cursor {
  first: number;
  offset: number;
}

function cursorOf(cursors: Map<string, Cursor>, writer: string): Cursor {
  const cursor = cursors.get(writer) ?? { first: 0, offset: 0 };
  cursors.set(writer, cursor);
  return cursor;
}

async function* eventsFrom(dir: string, writer: string, cursor: Cursor, query: AuditQuery): AsyncGenerator<FoundEvent> {
  for (const segment of await recent(segmentsOf(dir, writer), query)) {
    if (segment.first < cursor.first) continue;
    if (segment.first > cursor.first) Object.assign(cursor, { first: segment.first, offset: 0 });
    yield* eventsIn(segment, writer, cursor, query);
  }
}

/** Clocks are set back now and then, by less than this: what is this much older need not be looked through. */
const SET_BACK = 3_600_000;

/** Those that may hold what was written since a time: none before the last that began before it. */
async function recent(
  segments: readonly SegmentFile[],
  { since, follow }: AuditQuery,
): Promise<readonly SegmentFile[]> {
  if (since === undefined || follow) return segments;
  for (let index = segments.length - 1; index > 0; index -= 1) {
    const segment = segments[index];
    if (segment && (await beginning(segment)) < since - SET_BACK) return segments.slice(index);
  }
  return segments;
}

/** When a segment was begun; later than everything where that cannot be read. */
async function beginning({ path }: SegmentFile): Promise<number> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return Date.parse(decodeHeader(await readAt(handle, 0, Math.min(size, LONGEST_HEADER))).header.at);
  } catch {
    return Number.POSITIVE_INFINITY; // whoever reads it through says what is wrong
  } finally {
    await handle.close();
  }
}

/** About as many events are read in one go: a millisecond or two, which whoever shares the process has to wait. */
const AT_ONCE = 100;

/** What matches in a segment from the cursor on, which moves past what was read. */
async function* eventsIn(
  segment: SegmentFile,
  writer: string,
  cursor: Cursor,
  query: AuditQuery,
): AsyncGenerator<FoundEvent> {
  let read = 0;
  const base = cursor.offset;
  try {
    const bytes = await readFrom(segment, base);
    const start = base === 0 ? decodeHeader(bytes).end : 0;
    cursor.offset = base + start;
    for (const record of recordsIn(bytes, start)) {
      cursor.offset = base + record.end;
      for (const event of eventsOf(writer, record)) {
        if (isWanted(event.event, query)) yield event;
        read += 1;
      }
      if (read < AT_ONCE) continue;
      read = 0;
      await nextTurn();
    }
  } catch (error) {
    if (!query.broken) throw error;
    // Not read again while following: what comes after a place like this is in another segment.
    cursor.offset = Number.MAX_SAFE_INTEGER;
    query.broken(segment.path, asFault(error, 'EVIDENCE_BROKEN'));
  }
}

/** From the ends of the chains backwards, so that a long history is not read for a few lines. */
async function newest(
  dir: string,
  count: number,
  cursors: Map<string, Cursor>,
  query: AuditQuery,
): Promise<FoundEvent[]> {
  const found: FoundEvent[] = [];
  for (const writer of writersIn(dir)) {
    let own: FoundEvent[] = [];
    for (const segment of segmentsOf(dir, writer).reverse()) {
      const cursor = { first: segment.first, offset: 0 };
      const here: FoundEvent[] = [];
      for await (const event of eventsIn(segment, writer, cursor, query)) here.push(event);
      own = [...here, ...own];
      if (cursor.first > cursorOf(cursors, writer).first) cursors.set(writer, cursor);
      if (own.length >= count) break;
    }
    found.push(...own.slice(own.length - Math.min(count, own.length)));
  }
  // Stable: events of one chain keep their order where their times are equal.
  found.sort((a, b) => (a.event.at < b.event.at ? -1 : a.event.at > b.event.at ? 1 : 0));
  return found.slice(found.length - Math.min(count, found.length));
}

/** The earliest event at the front of any chain, until all are through. */
async function* merge(sources: readonly AsyncGenerator<FoundEvent>[]): AsyncGenerator<FoundEvent> {
  const fronts = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })));
  for (;;) {
    let first: (typeof fronts)[number] | undefined;
    let event: FoundEvent | undefined;
    for (const front of fronts) {
      if (front.next.done) continue;
      if (!event || front.next.value.event.at < event.event.at) [first, event] = [front, front.next.value];
    }
    if (!first || !event) return;
    yield event;
    first.next = await first.source.next();
  }
}

async function readFrom(segment: SegmentFile, offset: number): Promise<Buffer> {
  if (offset === 0) return readSegment(segment);
  const handle = await open(segment.path, 'r');
  try {
    const { size } = await handle.stat();
    return await readAt(handle, offset, Math.max(0, size - offset));
  } finally {
    await handle.close();
  }
}

function eventsOf(writer: string, record: EvidenceRecord): FoundEvent[] {
  if (record.kind !== AUDIT) return [];
  return record.body
    .toString('utf8')
    .split('\n')
    .map((line) => {
      const event = parse(line);
      if (!isEvent(event)) throw broken(`record ${record.sequence} of ${writer} is not events`);
      return { writer, sequence: record.sequence, event };
    });
}

function isEvent(value: unknown): value is AuditEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { v, type, at }: { v?: unknown; type?: unknown; at?: unknown } = value;
  return v === 1 && typeof type === 'string' && typeof at === 'string';
}

function isWanted(event: AuditEvent, { types, session, target, since }: AuditQuery): boolean {
  return (
    (types === undefined || types.includes(event.type)) &&
    (session === undefined || event['session'] === session) &&
    (target === undefined || event['target'] === target) &&
    (since === undefined || Date.parse(event.at) >= since)
  );
}
