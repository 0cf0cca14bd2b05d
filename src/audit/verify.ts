import { basename, join, relative } from 'node:path';
import { type ChainHead, type Checkpoint, checkpointWriters, readCheckpoints } from './checkpoint.ts';
import { genesis } from './format.ts';
import { checkpointPath, segmentsOf, writersIn } from './layout.ts';
import { type SignatureVerifier, signatureVerifier } from './signing.ts';
import { readSegment, type Walk, walkSegment } from './walk.ts';

export interface VerifyReport {
  /** No problem was found. */
  readonly ok: boolean;
  readonly chains: readonly ChainReport[];
  readonly checkpoints: number;
  /** When the last checkpoint was signed. */
  readonly signedAt: string | undefined;
  readonly problems: readonly Problem[];
}

export interface ChainReport {
  readonly writer: string;
  readonly segments: number;
  /** Records that verify. */
  readonly records: number;
  readonly firstAt: number | undefined;
  readonly lastAt: number | undefined;
  /** Hex link of the last record that verifies. */
  readonly head: string;
  /** Records up to here are covered by a signed checkpoint. */
  readonly signed: number;
  /** Bytes at the end that are not a whole record: a write under way, or one that a crash cut off. */
  readonly unfinished: number;
}

export interface Problem {
  /** Below the evidence directory. */
  readonly file: string;
  /** Byte offset in a segment, line in a checkpoint file. */
  readonly at: number | undefined;
  /** The last sequence before it that verifies. */
  readonly after: number;
  readonly what: string;
}

/**
 * Verifies everything below an evidence directory, from the files alone: each record's link, the order of records and
 * segments, every checkpoint's signature, and that each chain still holds what a checkpoint has signed. Names the
 * first broken link of each chain. What was appended after the last checkpoint and cut off whole cannot be missed by
 * anybody: `signed` says how far that is.
 */
export async function verifyEvidence(
  dir: string,
  options: { readonly publicKey: string | readonly string[] },
): Promise<VerifyReport> {
  const verifiers = [options.publicKey].flat().map(signatureVerifier);
  const problems: Problem[] = [];
  const checkpoints = readAllCheckpoints(dir, verifiers, problems);
  const heads = checkpoints.flatMap((checkpoint) => checkpoint.heads);
  const names = new Set([...writersIn(dir), ...checkpointWriters(dir), ...heads.map((head) => head.writer)]);
  const chains: ChainReport[] = [];
  for (const writer of [...names].sort()) {
    const signed = heads.filter((head) => head.writer === writer);
    chains.push(await verifyChain(dir, writer, signed, problems));
  }
  return {
    ok: problems.length === 0,
    chains,
    checkpoints: checkpoints.length,
    signedAt: checkpoints
      .map((checkpoint) => checkpoint.at)
      .sort()
      .at(-1),
    problems,
  };
}

function readAllCheckpoints(dir: string, verifiers: readonly SignatureVerifier[], problems: Problem[]): Checkpoint[] {
  return checkpointWriters(dir).flatMap((writer) => {
    const read = readCheckpoints(dir, writer, verifiers);
    const file = relative(dir, checkpointPath(dir, writer));
    for (const { line, what } of read.problems)
      problems.push({ file, at: line, after: 0, what: `a checkpoint: ${what}` });
    return read.checkpoints;
  });
}

async function verifyChain(
  dir: string,
  writer: string,
  signed: readonly ChainHead[],
  problems: Problem[],
): Promise<ChainReport> {
  const wanted = new Map(signed.map((head) => [head.sequence, head.link]));
  const furthest = Math.max(0, ...wanted.keys());
  const segments = segmentsOf(dir, writer);
  let [sequence, link, unfinished] = [0, genesis(writer), 0];
  let firstAt: number | undefined;
  let lastAt: number | undefined;
  const complain = (file: string, at: number | undefined, after: number, what: string): void => {
    problems.push({ file: join(writer, basename(file)), at, after, what });
  };
  let isSound = true;
  for (const [index, segment] of segments.entries()) {
    let walk: Walk;
    try {
      walk = walkSegment(await readSegment(segment), { writer, sequence, link }, (record) => {
        firstAt ??= record.at;
        lastAt = record.at;
        const expected = wanted.get(record.sequence);
        if (expected !== undefined && expected !== record.link.toString('hex')) {
          complain(
            segment.path,
            record.offset,
            record.sequence - 1,
            'a record is not the one that a checkpoint has signed',
          );
        }
      });
      if (walk.header.first !== segment.first) throw new Error('its name is not that of its first record');
    } catch (error) {
      complain(segment.path, 0, sequence, error instanceof Error ? error.message : String(error));
      isSound = false;
      break;
    }
    ({ sequence, link } = walk);
    const isLast = index === segments.length - 1;
    if (walk.fault?.kind === 'torn' && isLast) unfinished = walk.size - walk.end;
    else if (walk.fault) {
      const what = walk.fault.kind === 'torn' ? 'the segment is cut off in the middle of a record' : walk.fault.what;
      complain(segment.path, walk.end, sequence, what);
      isSound = false;
      break;
    }
  }
  if (isSound && furthest > sequence) {
    const what = `the chain ends at record ${sequence}; a checkpoint has signed ${furthest}`;
    complain(segments.at(-1)?.path ?? '', undefined, sequence, what);
  }
  return {
    writer,
    segments: segments.length,
    records: sequence,
    firstAt,
    lastAt,
    head: link.toString('hex'),
    signed: Math.min(furthest, sequence),
    unfinished,
  };
}
