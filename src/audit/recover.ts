import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lastHead } from './checkpoint.ts';
import { decodeHeader, encodeHeader, genesis, linkOfHeader } from './format.ts';
import { SegmentIndex } from './index-file.ts';
import { currentChain, nextChain, type SegmentFile, segmentPath, segmentsOf } from './layout.ts';
import type { Head } from './records.ts';
import { OpenSegment } from './segment.ts';
import { readSegment, type Walk, walkSegment } from './walk.ts';

/** A chain ready to be appended to. */
export interface Recovered {
  readonly writer: string;
  readonly segment: OpenSegment;
  readonly index: SegmentIndex;
  /** The last record of the chain. */
  readonly head: Head;
  /** What the next record follows. */
  readonly running: Buffer;
  /** Why the chain before this one could not be continued; to be told as the first event of this one. */
  readonly broken: BrokenChain | undefined;
  /** Bytes of a record that was never acknowledged, cut off. */
  readonly torn: number;
}

export interface BrokenChain {
  readonly writer: string;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly sequence: number;
  readonly what: string;
}

/**
 * Finds where a writer's chain ends and opens its last segment there. A record cut off by a crash was never
 * acknowledged and is removed. Anything else that does not verify, and an end before the one a checkpoint has signed,
 * is evidence of its own: that chain stays as it is, and a new one starts.
 */
export async function recoverChain(evidence: string, writer: string, at: number): Promise<Recovered> {
  const chain = currentChain(evidence, writer);
  mkdirSync(join(evidence, chain), { recursive: true, mode: 0o700 });
  const last = segmentsOf(evidence, chain).at(-1);
  if (!last) {
    const signed = lastHead(evidence, chain);
    if (!signed || signed.sequence === 0) return start(evidence, chain, at, undefined);
    const what = `all its segments are gone; a checkpoint has signed ${signed.sequence} records`;
    return start(evidence, nextChain(chain), at, { ...NOWHERE, writer: chain, sequence: 0, what });
  }
  const index = new SegmentIndex();
  const found = await walkLast(last, chain, index);
  if ('what' in found) return start(evidence, nextChain(chain), at, { ...NOWHERE, ...found, writer: chain });

  const breach = breachOf(found, evidence, chain);
  if (breach !== undefined) {
    const { end, sequence } = found;
    const broken = { writer: chain, file: last.path, offset: end, sequence, what: breach };
    return start(evidence, nextChain(chain), at, broken);
  }
  return {
    writer: chain,
    segment: await OpenSegment.reopen(last.path, found.end),
    index,
    head: { sequence: found.sequence, link: found.link },
    running: found.running,
    broken: undefined,
    torn: found.size - found.end,
  };
}

const NOWHERE = { file: undefined, offset: undefined };

/** Earlier segments are for `audit verify`: here the last one is taken to follow what its header says. */
async function walkLast(
  last: SegmentFile,
  writer: string,
  index: SegmentIndex,
): Promise<Walk | { readonly file: string; readonly sequence: number; readonly what: string }> {
  try {
    const bytes = await readSegment(last);
    const previous = last.first === 1 ? genesis(writer) : previousIn(bytes);
    return walkSegment(bytes, { writer, sequence: last.first - 1, link: previous }, (record) =>
      index.addRecord(record),
    );
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { file: last.path, sequence: last.first - 1, what };
  }
}

function previousIn(bytes: Buffer): Buffer {
  return Buffer.from(decodeHeader(bytes).header.previous, 'hex');
}

function breachOf(found: Walk, evidence: string, chain: string): string | undefined {
  if (found.fault?.kind === 'broken') return found.fault.what;
  const signed = lastHead(evidence, chain);
  if (signed && signed.sequence > found.sequence) {
    return `it ends at ${found.sequence}; a checkpoint has signed ${signed.sequence} records`;
  }
  if (signed && signed.sequence === found.sequence && signed.link !== found.link.toString('hex')) {
    return `its record ${signed.sequence} is not the one that a checkpoint has signed`;
  }
  return undefined;
}

async function start(
  evidence: string,
  writer: string,
  at: number,
  broken: BrokenChain | undefined,
): Promise<Recovered> {
  mkdirSync(join(evidence, writer), { recursive: true, mode: 0o700 });
  const link = genesis(writer);
  const { segment, running } = await createSegment(evidence, writer, { sequence: 0, link }, at);
  return { writer, segment, index: new SegmentIndex(), head: { sequence: 0, link }, running, broken, torn: 0 };
}

/** A new segment after `head`. */
export async function createSegment(
  evidence: string,
  writer: string,
  head: Head,
  at: number,
): Promise<{ segment: OpenSegment; running: Buffer }> {
  const header = {
    v: 1 as const,
    writer,
    first: head.sequence + 1,
    previous: head.link.toString('hex'),
    at: new Date(at).toISOString(),
  };
  const segment = await OpenSegment.create(segmentPath(evidence, writer, header.first), header);
  return { segment, running: linkOfHeader(head.link, encodeHeader(header)) };
}
