import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';

/*
 * Where evidence lies: `<evidence>/<writer>/<first sequence>.seg` with an index `.idx` beside each finished segment,
 * and `<evidence>/checkpoints/<writer>.jsonl`. A writer is `<node>-<worker>`; when a chain is found broken it is left
 * as it is and its writer goes on as `<node>-<worker>+2`, then `+3`, with a chain of its own.
 */

const NODE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const WRITER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}-\d{1,6}(?:\+\d{1,6})?$/;
const SEGMENT = /^(\d{16})\.seg$/;

/** Throws Fault CONFIG_INVALID for a node name that cannot be a file name. */
export function writerName(node: string, worker: number): string {
  if (!NODE.test(node)) {
    throw new Fault('CONFIG_INVALID', 'a node name has letters, digits, dots, dashes and underscores, at most 63');
  }
  return `${node}-${worker}`;
}

export function writersIn(evidence: string): string[] {
  if (!existsSync(evidence)) return [];
  return readdirSync(evidence, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && WRITER.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

export function isWriterName(name: string): boolean {
  return WRITER.test(name);
}

/** The chain that a writer goes on with: the last of those it has had. */
export function currentChain(evidence: string, writer: string): string {
  const generations = writersIn(evidence)
    .filter((name) => name === writer || name.startsWith(`${writer}+`))
    .map(generationOf);
  const last = Math.max(1, ...generations);
  return last === 1 ? writer : `${writer}+${last}`;
}

export function nextChain(chain: string): string {
  return `${chain.split('+')[0] ?? chain}+${generationOf(chain) + 1}`;
}

function generationOf(chain: string): number {
  return Number(chain.split('+')[1] ?? '1');
}

export interface SegmentFile {
  readonly path: string;
  /** Sequence of its first record, as its name says. */
  readonly first: number;
}

/** In the order of the chain. */
export function segmentsOf(evidence: string, writer: string): SegmentFile[] {
  const dir = join(evidence, writer);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .flatMap((name) => {
      const match = SEGMENT.exec(name);
      return match ? [{ path: join(dir, name), first: Number(match[1]) }] : [];
    })
    .sort((a, b) => a.first - b.first);
}

export function segmentPath(evidence: string, writer: string, first: number): string {
  return join(evidence, writer, `${String(first).padStart(16, '0')}.seg`);
}

export function indexPath(segment: string): string {
  return segment.replace(/\.seg$/, '.idx');
}

export function checkpointPath(evidence: string, writer: string): string {
  return join(evidence, 'checkpoints', `${writer}.jsonl`);
}
