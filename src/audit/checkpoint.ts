import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse, sha256 } from './format.ts';
import { checkpointPath, isWriterName } from './layout.ts';
import type { SignatureVerifier, Signer } from './signing.ts';

/** The last record of one chain, as a checkpoint states it. */
export interface ChainHead {
  readonly writer: string;
  readonly sequence: number;
  /** Hex. */
  readonly link: string;
}

/**
 * One signed line: how far this chain was, safely on disk, and how far the chains of other writers were by their own
 * last checkpoints. To cut a chain without trace, somebody would have to forge the lines of all of them.
 */
export interface Checkpoint {
  readonly v: 1;
  readonly at: string;
  readonly writer: string;
  readonly heads: readonly ChainHead[];
  /** SHA-256 of the line before, hex; empty for the first. */
  readonly previous: string;
  readonly key: string;
  readonly signature: string;
}

/** Appends to the checkpoint file of one chain. */
export class CheckpointLog {
  readonly #writer: string;
  readonly #evidence: string;
  readonly #signer: Signer;
  readonly #file: FileHandle;
  #previous: string;

  private constructor(evidence: string, writer: string, signer: Signer, file: FileHandle, previous: string) {
    this.#evidence = evidence;
    this.#writer = writer;
    this.#signer = signer;
    this.#file = file;
    this.#previous = previous;
  }

  /** A line that was cut off by a crash was never acted upon: it is removed. */
  static async open(evidence: string, writer: string, signer: Signer): Promise<CheckpointLog> {
    const path = checkpointPath(evidence, writer);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const { line, end } = lastLine(path);
    const file = await open(path, 'a', 0o600);
    await file.truncate(end);
    return new CheckpointLog(evidence, writer, signer, file, line === undefined ? '' : digest(line));
  }

  /** Call it for a head that has been synced only. */
  async write(head: Omit<ChainHead, 'writer'>, at: number): Promise<void> {
    const heads = [{ writer: this.#writer, ...head }, ...othersIn(this.#evidence, this.#writer)];
    const unsigned = {
      v: 1 as const,
      at: new Date(at).toISOString(),
      writer: this.#writer,
      heads,
      previous: this.#previous,
      key: this.#signer.keyId,
    };
    const signature = this.#signer.sign(signedBytes(unsigned)).toString('base64');
    const line = JSON.stringify({ ...unsigned, signature } satisfies Checkpoint);
    await this.#file.appendFile(`${line}\n`);
    await this.#file.datasync();
    this.#previous = digest(line);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** What the last checkpoint of a chain says of it; undefined before the first. */
export function lastHead(evidence: string, writer: string): ChainHead | undefined {
  const { line } = lastLine(checkpointPath(evidence, writer));
  const checkpoint = line === undefined ? undefined : parseCheckpoint(line);
  return checkpoint?.heads.find((head) => head.writer === writer);
}

/** Writers that have a checkpoint file, whether or not a chain of theirs is still there. */
export function checkpointWriters(evidence: string): string[] {
  const dir = join(evidence, 'checkpoints');
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => name.slice(0, -'.jsonl'.length))
    .filter(isWriterName)
    .sort();
}

export interface ReadCheckpoints {
  /** Those that verify, in order. */
  readonly checkpoints: readonly Checkpoint[];
  readonly problems: readonly { readonly line: number; readonly what: string }[];
}

/** Every line's signature, its writer, and its link to the line before. */
export function readCheckpoints(
  evidence: string,
  writer: string,
  verifiers: readonly SignatureVerifier[],
): ReadCheckpoints {
  const checkpoints: Checkpoint[] = [];
  const problems: { line: number; what: string }[] = [];
  let previous = '';
  const path = checkpointPath(evidence, writer);
  const lines = linesOf(path);
  for (const [index, line] of lines.entries()) {
    const checkpoint = parseCheckpoint(line);
    const what = checkpoint ? objection(checkpoint, line, { writer, previous, verifiers }) : 'it cannot be read';
    if (what === undefined && checkpoint) checkpoints.push(checkpoint);
    else problems.push({ line: index + 1, what: what ?? 'it cannot be read' });
    previous = digest(line);
  }
  if (!endsWhole(path)) problems.push({ line: lines.length + 1, what: 'its line is not finished' });
  return { checkpoints, problems };
}

function objection(
  checkpoint: Checkpoint,
  line: string,
  expected: { writer: string; previous: string; verifiers: readonly SignatureVerifier[] },
): string | undefined {
  const { signature, ...unsigned } = checkpoint;
  if (JSON.stringify(checkpoint) !== line) return 'it is not written as it was signed';
  if (checkpoint.writer !== expected.writer) return `it belongs to ${checkpoint.writer}`;
  if (checkpoint.previous !== expected.previous) return 'it does not follow the line before it';
  const verifier = expected.verifiers.find((one) => one.keyId === checkpoint.key);
  if (!verifier) return `it is signed with an unknown key (${checkpoint.key})`;
  const isGood = verifier.verify(signedBytes(unsigned), Buffer.from(signature, 'base64'));
  return isGood ? undefined : 'its signature does not verify';
}

function signedBytes(unsigned: Omit<Checkpoint, 'signature'>): Buffer {
  return Buffer.from(`sallyport checkpoint 1\n${JSON.stringify(unsigned)}`);
}

function othersIn(evidence: string, own: string): ChainHead[] {
  return checkpointWriters(evidence)
    .filter((writer) => writer !== own)
    .flatMap((writer) => lastHead(evidence, writer) ?? []);
}

/** A checkpoint of some four hundred writers fits. */
const LONGEST_LINE = 64 * 1024;

/** The last whole line of a file, and where it ends, read from the end of the file. */
function lastLine(path: string): { readonly line: string | undefined; readonly end: number } {
  if (!existsSync(path)) return { line: undefined, end: 0 };
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, size - 2 * LONGEST_LINE);
    const bytes = Buffer.alloc(size - start);
    const tail = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start));
    const end = tail.lastIndexOf(0x0a);
    if (end < 0) return { line: undefined, end: 0 };
    return { line: tail.toString('utf8', tail.lastIndexOf(0x0a, end - 1) + 1, end), end: start + end + 1 };
  } finally {
    closeSync(file);
  }
}

function endsWhole(path: string): boolean {
  return !existsSync(path) || lastLine(path).end === statSync(path).size;
}

/** Whole lines only. */
function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

function digest(line: string): string {
  return sha256(Buffer.from(line)).toString('hex');
}

function parseCheckpoint(line: string): Checkpoint | undefined {
  const value = parse(line);
  if (typeof value !== 'object' || value === null) return undefined;
  const { v, at, writer, heads, previous, key, signature }: Partial<Record<keyof Checkpoint, unknown>> = value;
  const isText = [at, writer, previous, key, signature].every((field) => typeof field === 'string');
  if (v !== 1 || !isText || !Array.isArray(heads) || !heads.every(isHead)) return undefined;
  return {
    v,
    at: String(at),
    writer: String(writer),
    heads,
    previous: String(previous),
    key: String(key),
    signature: String(signature),
  };
}

function isHead(value: unknown): value is ChainHead {
  if (typeof value !== 'object' || value === null) return false;
  const { writer, sequence, link }: Partial<Record<keyof ChainHead, unknown>> = value;
  return typeof writer === 'string' && Number.isSafeInteger(sequence) && typeof link === 'string';
}
