import type { Clock } from '../core/clock.ts';
import type { AuditEvent, EvidenceWriter, NewEntry, Urgency } from '../core/evidence.ts';
import { asFault, Fault } from '../core/fault.ts';
import type { Batch, ChunkPlace } from './batch.ts';
import { CheckpointLog } from './checkpoint.ts';
import { SegmentIndex, writeIndex } from './index-file.ts';
import { writerName } from './layout.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import type { ChunkKey, ChunkSealer } from './ports.ts';
import { Promptness } from './promptness.ts';
import { Queue } from './queue.ts';
import { type Head, Records } from './records.ts';
import { createSegment, type Recovered, recoverChain } from './recover.ts';
import type { OpenSegment } from './segment.ts';
import type { Signer } from './signing.ts';

/*
 * Evidence: what happened, provably. Each writer (node × worker) has one append-only chain of records in segment
 * files; audit events stand in it as readable JSON, recordings as encrypted chunks, so that one write covers both and
 * neither can be altered, dropped, reordered or cut short without breaking the chain or a signed checkpoint.
 *
 * This room writes, reads and verifies these files and nothing else. It does not decide what is worth an event, does
 * not know what a recording says, needs no database, and never drops an event because the disk is slow: what is not
 * written is not acknowledged, and the caller then does not forward the operation.
 */

export interface WriterOptions {
  /** The evidence directory, shared by the writers of a node. */
  readonly dir: string;
  readonly node: string;
  readonly worker: number;
  /** `process`: acknowledged once the write has returned, synced within 50 ms. `power`: synced first. */
  readonly durability: 'process' | 'power';
  readonly sealer: ChunkSealer;
  readonly signer: Signer;
  readonly clock: Clock;
  /** Told of what the chain cannot tell by itself: it cannot be written, or could not be continued. */
  readonly alarm: (fault: Fault) => void;
  /**
   * Small writes are made on the event loop's thread while the disk answers promptly: far cheaper, but the first write
   * that meets a disk that has just stopped answering may hold the loop up. Default: false.
   */
  readonly quickWrites?: boolean;
  /** Told how long each write took that callers waited for, in milliseconds. */
  readonly onWrite?: (milliseconds: number) => void;
  /** A segment over this many bytes is finished. */
  readonly segmentBytes?: number;
  /** Milliseconds between checkpoints, where anything was written. */
  readonly checkpointEvery?: number;
}

export interface ClosableWriter extends EvidenceWriter {
  /** The name of its chain. */
  readonly writer: string;
  /** Bytes that wait to be written, about, and the last record of the chain. */
  standing(): { readonly backlog: number; readonly sequence: number; readonly stalled: boolean };
  /** Writes what is pending and a last checkpoint. Appends after this reject. */
  close(): Promise<void>;
}

const SYNC_WITHIN = 50;
const RETRY_AFTER = 250;
const SEGMENT_BYTES = 64 * 1024 * 1024;
const ENTRY_BYTES = 16 * 1024 * 1024;
const EVENT_BYTES = 4 * 1024 * 1024;
const NAME_LENGTH = 128;

/**
 * Opens the chain of a writer where it ended. Throws Fault CONFLICT while another process has it. A chain that does
 * not verify is left alone: a new one is begun, and its first event is an alarm that says so.
 */
export async function openEvidence(options: WriterOptions): Promise<ClosableWriter> {
  const { dir, node, worker, clock } = options;
  const name = writerName(node, worker);
  const lock = takeLock(dir, name);
  try {
    const recovered = await recoverChain(dir, name, clock.now());
    const checkpoints = await CheckpointLog.open(dir, recovered.writer, options.signer);
    const writer = new ChainWriter(options, recovered, checkpoints, lock);
    if (recovered.broken) await writer.confess(recovered.broken);
    return writer;
  } catch (error) {
    lock.release();
    throw asFault(error, 'EVIDENCE_UNWRITABLE');
  }
}

function takeLock(dir: string, name: string): DirectoryLock {
  try {
    return lockDirectory(dir, `${name}.lock`);
  } catch (error) {
    throw asFault(error, 'EVIDENCE_UNWRITABLE');
  }
}

class ChainWriter implements ClosableWriter {
  readonly writer: string;
  readonly #options: WriterOptions;
  readonly #checkpoints: CheckpointLog;
  readonly #lock: DirectoryLock;
  readonly #promptness: Promptness;
  readonly #ticker: NodeJS.Timeout;
  #segment: OpenSegment;
  #index: SegmentIndex;
  #head: Head;
  #running: Buffer;
  readonly #records: Records;
  readonly #queue: Queue;
  #failure: { readonly fault: Fault; readonly at: number } | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  /** Syncs, checkpoints and rotations, one after the other. */
  #upkeep: Promise<void> = Promise.resolve();
  #signed = -1;
  #closed = false;

  constructor(options: WriterOptions, recovered: Recovered, checkpoints: CheckpointLog, lock: DirectoryLock) {
    this.writer = recovered.writer;
    this.#options = options;
    this.#checkpoints = checkpoints;
    this.#lock = lock;
    this.#segment = recovered.segment;
    this.#index = recovered.index;
    this.#head = recovered.head;
    this.#running = recovered.running;
    this.#records = new Records(recovered.writer);
    this.#promptness = new Promptness(options.clock, options.onWrite ?? (() => {}));
    this.#queue = new Queue(options.clock, (batch) => this.#writeBatch(batch));
    this.#ticker = setInterval(() => void this.#checkpoint(), options.checkpointEvery ?? 30_000);
    this.#ticker.unref();
  }

  get stalled(): boolean {
    return this.#promptness.stalled;
  }

  standing(): { readonly backlog: number; readonly sequence: number; readonly stalled: boolean } {
    return { backlog: this.#queue.backlog, sequence: this.#head.sequence, stalled: this.stalled };
  }

  audit(event: AuditEvent, urgency: Urgency = 'now'): Promise<void> {
    const text = JSON.stringify(event);
    if (isTooLong(text)) return refuse('an event is too long');
    const batch = this.#batchFor(text.length);
    if (batch === undefined) return this.#refused();
    batch.audit(text);
    return this.#queue.added(batch, urgency);
  }

  record(entry: NewEntry, urgency: Urgency = 'now'): Promise<void> {
    const key = this.#keyFor(entry);
    if (key instanceof Promise) return key;
    const batch = this.#batchFor(entry.body.length);
    if (batch === undefined) return this.#refused();
    batch.record(entry, key);
    return this.#queue.added(batch, urgency);
  }

  both(event: string, entry: NewEntry, urgency: Urgency = 'now'): Promise<void> {
    if (isTooLong(event)) return refuse('an event is too long');
    const key = this.#keyFor(entry);
    const batch = this.#batchFor(event.length + entry.body.length);
    if (batch === undefined) return this.#refused();
    batch.audit(event);
    if (!(key instanceof Promise)) batch.record(entry, key);
    const written = this.#queue.added(batch, urgency);
    return key instanceof Promise ? key : written;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ticker);
    await this.#queue.emptied();
    clearTimeout(this.#syncTimer);
    await this.#checkpoint();
    await this.#checkpoints.close();
    await this.#segment.close();
    this.#lock.release();
  }

  /** The first event of a chain that replaces a broken one. */
  async confess(broken: NonNullable<Recovered['broken']>): Promise<void> {
    const { writer, file, offset, sequence, what } = broken;
    const fault = new Fault('EVIDENCE_BROKEN', `the chain ${writer} is broken after record ${sequence}: ${what}`);
    this.#options.alarm(fault);
    await this.audit({
      v: 1,
      type: 'alarm',
      at: new Date(this.#options.clock.now()).toISOString(),
      code: fault.code,
      message: fault.message,
      chain: writer,
      file: file ?? null,
      offset: offset ?? null,
      sequence,
    });
  }

  /** A refusal where the entry cannot be taken. */
  #keyFor({ body, session, target }: NewEntry): ChunkKey | Promise<never> {
    if (body.length > ENTRY_BYTES) return refuse('a recording entry is too long');
    if (session.length > NAME_LENGTH || target.length > NAME_LENGTH) return refuse('a name is too long');
    try {
      return this.#options.sealer.key(target);
    } catch (error) {
      return refuse(`no key for recordings of ${target}`, error);
    }
  }

  #batchFor(length: number): Batch | undefined {
    return this.#closed ? undefined : this.#queue.batch(length);
  }

  #refused(): Promise<never> {
    return refuse(this.#closed ? 'the gateway is closing' : 'too much is waiting to be written');
  }

  #writeBatch(batch: Batch): Promise<void> | undefined {
    try {
      const places = this.#layOut(batch);
      const writing = this.#write(this.#records.bytes);
      if (writing !== undefined) {
        return writing
          .then(() => this.#written(places))
          .then(
            () => this.#settled(batch),
            (error: unknown) => this.#settled(batch, error),
          );
      }
      this.#written(places);
    } catch (error) {
      return this.#settled(batch, error);
    }
    return this.#settled(batch);
  }

  #settled(batch: Batch, error?: unknown): Promise<void> | undefined {
    if (error === undefined) batch.resolve();
    else batch.reject(this.#failed(error));
    return this.#segment.size >= (this.#options.segmentBytes ?? SEGMENT_BYTES) ? this.#rotate() : undefined;
  }

  #layOut(batch: Batch): readonly ChunkPlace[] {
    const { clock } = this.#options;
    if (this.#failure && clock.monotonic() - this.#failure.at < RETRY_AFTER) throw this.#failure.fault;
    const after = { sequence: this.#head.sequence, link: this.#running };
    this.#records.begin(after, Math.max(0, Math.trunc(clock.now())));
    return batch.layOut(this.#records);
  }

  /** As durable as was asked for once it resolves; undefined: it is already. */
  #write(bytes: Buffer): Promise<void> | undefined {
    const ended = this.#promptness.writes();
    const quick = this.#options.quickWrites === true && this.#promptness.mayBeQuick(bytes.length);
    const appending = this.#segment.append(bytes, quick);
    if (this.#options.durability === 'process') {
      if (appending !== undefined) return appending.finally(ended);
      ended();
      return undefined;
    }
    return Promise.resolve(appending)
      .then(() => this.#syncOrRetract(bytes.length))
      .finally(ended);
  }

  #written(places: readonly ChunkPlace[]): void {
    const { head, bytes } = this.#records;
    const start = this.#segment.size - bytes.length;
    this.#failure = undefined;
    this.#head = head;
    this.#running = head.link;
    for (const { offset, sessions } of places) this.#index.add(start + offset, sessions);
    if (this.#options.durability === 'process') this.#syncSoon();
  }

  async #syncOrRetract(length: number): Promise<void> {
    try {
      await this.#segment.sync();
    } catch (error) {
      await this.#segment.retract(length).catch(() => undefined);
      throw error;
    }
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      void this.#keepUp(() => this.#sync());
    }, SYNC_WITHIN);
  }

  async #sync(): Promise<void> {
    const ended = this.#promptness.syncs();
    await this.#segment.sync().finally(ended);
  }

  /** One piece of upkeep after the other; one that fails stops the appends until a write succeeds again. */
  #keepUp(work: () => Promise<void>): Promise<void> {
    this.#upkeep = this.#upkeep.then(work).catch((error: unknown) => {
      this.#failed(error);
    });
    return this.#upkeep;
  }

  #checkpoint(): Promise<void> {
    return this.#keepUp(async () => {
      const { sequence, link } = this.#head;
      if (sequence === this.#signed) return;
      await this.#sync();
      await this.#checkpoints.write({ sequence, link: link.toString('hex') }, this.#options.clock.now());
      this.#signed = sequence;
    });
  }

  /** Called between writes only. When it fails the old segment goes on, and the next write tries again. */
  async #rotate(): Promise<void> {
    await this.#keepUp(async () => {
      const finished = this.#segment;
      await finished.sync();
      const { segment, running } = await createSegment(
        this.#options.dir,
        this.writer,
        this.#head,
        this.#options.clock.now(),
      );
      const index = this.#index;
      this.#segment = segment;
      this.#running = running;
      this.#index = new SegmentIndex();
      await writeIndex(finished.path, finished.size, index).catch(() => undefined);
      await finished.close();
    });
    await this.#checkpoint();
  }

  #failed(error: unknown): Fault {
    if (this.#failure && error === this.#failure.fault) return this.#failure.fault;
    const fault = new Fault('EVIDENCE_UNWRITABLE', `evidence cannot be written: ${asFault(error).message}`, {
      cause: error,
    });
    const isNew = this.#failure === undefined;
    this.#failure = { fault, at: this.#options.clock.monotonic() };
    if (isNew) this.#options.alarm(fault);
    return fault;
  }
}

function isTooLong(event: string): boolean {
  return event.length * 3 > EVENT_BYTES && Buffer.byteLength(event) > EVENT_BYTES;
}

function refuse(why: string, cause?: unknown): Promise<never> {
  const refused = Promise.reject(new Fault('EVIDENCE_UNWRITABLE', `evidence cannot be written: ${why}`, { cause }));
  // As with a batch: who does not wait does not want to hear of it.
  refused.catch(() => undefined);
  return refused;
}
