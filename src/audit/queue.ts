import type { Clock } from '../core/clock.ts';
import type { Urgency } from '../core/evidence.ts';
import { Batch } from './batch.ts';

/** What nobody waits for is written within this time, or together with the next append that somebody does wait for. */
const SOON_WITHIN = 10;
const SOON_BYTES = 256 * 1024;
/** Milliseconds after a write within which an append is not alone: a turn of a busy loop takes longer. */
const COMPANY_WITHIN = 0.05;
/** One write, and one batch of records, is about this long at most. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** More than this outstanding is refused: the disk is not keeping up and callers are not waiting. */
const BACKLOG_BYTES = 256 * 1024 * 1024;

/**
 * What waits to be written, and when it is: in company, what one turn of the event loop appends goes out in one write;
 * what comes alone would wait for the turn in vain and goes out at once.
 */
export class Queue {
  readonly #clock: Clock;
  readonly #write: (batch: Batch) => Promise<void> | undefined;
  #batches: Batch[] = [];
  #backlog = 0;
  /** A write that is waited for; it is followed by those that came meanwhile. */
  #writing: Promise<void> | undefined;
  /** The turn of the loop at whose end the queue is written. */
  #turn: NodeJS.Immediate | undefined;
  #soon: NodeJS.Timeout | undefined;
  /** Appends since the last write that somebody waits for. */
  #urgent = 0;
  /** The last write had several of them. */
  #crowded = false;
  /** When the last write was made. */
  #written = Number.NEGATIVE_INFINITY;

  /** `write` settles the batch and never rejects; undefined: that is done already. */
  constructor(clock: Clock, write: (batch: Batch) => Promise<void> | undefined) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Bytes that wait, about. */
  get backlog(): number {
    return this.#backlog;
  }

  /** The batch that takes this much more; undefined where nothing more is taken. */
  batch(length: number): Batch | undefined {
    if (this.#backlog + length > BACKLOG_BYTES) return undefined;
    const last = this.#batches.at(-1);
    if (last !== undefined && last.bytes <= BATCH_BYTES) return last;
    const batch = new Batch();
    this.#batches.push(batch);
    return batch;
  }

  /** Something was put into the batch given last. */
  added(batch: Batch, urgency: Urgency): Promise<void> {
    this.#backlog += batch.grown();
    if (urgency === 'now' || this.#backlog > SOON_BYTES) this.#urge();
    else this.#soon ??= setTimeout(() => this.#flush(), SOON_WITHIN);
    return batch.done;
  }

  /** Writes all there is. */
  async emptied(): Promise<void> {
    clearTimeout(this.#soon);
    if (this.#writing === undefined) this.#drain();
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Writes what waited for company and found none. */
  #flush(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#batches.length > 0) this.#urge();
  }

  #urge(): void {
    this.#urgent += 1;
    if (this.#writing !== undefined || this.#turn !== undefined) return;
    if (this.#alone()) this.#drain();
    else this.#turn = setImmediate(() => this.#drain());
  }

  #alone(): boolean {
    return !this.#crowded && this.#clock.monotonic() - this.#written > COMPANY_WITHIN;
  }

  #drain(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#crowded = this.#urgent > 1;
    this.#urgent = 0;
    const waiting = this.#writeAll();
    this.#written = this.#clock.monotonic();
    if (waiting === undefined) return;
    // What comes while a write is under way goes out in the next one.
    this.#writing = waiting.then(() => {
      this.#writing = undefined;
      if (this.#batches.length > 0) this.#drain();
    });
  }

  #writeAll(): Promise<void> | undefined {
    for (let batch = this.#batches.shift(); batch; batch = this.#batches.shift()) {
      const { bytes } = batch;
      const waiting = this.#write(batch);
      if (waiting !== undefined) {
        return waiting.then(() => {
          this.#backlog -= bytes;
          return this.#writeAll();
        });
      }
      this.#backlog -= bytes;
    }
    return undefined;
  }
}
