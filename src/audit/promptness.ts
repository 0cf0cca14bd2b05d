import type { Clock } from '../core/clock.ts';

/** A write outstanding for this long pauses operations. */
const STALLED_AFTER = 2_000;
/** Quick writes stop for this long after one, or a sync, was sluggish. */
const CAUTION = 10_000;
/** A sync takes as long as there is to sync, and writes go on beside it: 180 ms on a disk whose writes took 0.05. */
const SLUGGISH = { write: 100, sync: 500 };
const QUICK_BYTES = 64 * 1024;

/** How promptly the disk answers, all in milliseconds: whether a write may be made on the thread of the event loop. */
export class Promptness {
  readonly #clock: Clock;
  readonly #onWrite: (milliseconds: number) => void;
  /** When the write now under way began. */
  #writing: number | undefined;
  /** When the sync now under way began: it meets a disk that does not answer before a write does. */
  #syncing: number | undefined;
  #cautiousUntil = 0;

  /** `onWrite`: told how long each write took. */
  constructor(clock: Clock, onWrite: (milliseconds: number) => void) {
    this.#clock = clock;
    this.#onWrite = onWrite;
  }

  get stalled(): boolean {
    return this.#writing !== undefined && this.#clock.monotonic() - this.#writing > STALLED_AFTER;
  }

  /** To be called when the write ends, however it does. */
  writes(): () => void {
    const began = this.#clock.monotonic();
    this.#writing = began;
    return () => {
      this.#writing = undefined;
      this.#onWrite(this.#mind(began, SLUGGISH.write));
    };
  }

  /** To be called when the sync ends, however it does. */
  syncs(): () => void {
    const began = this.#clock.monotonic();
    this.#syncing = began;
    return () => {
      this.#syncing = undefined;
      this.#mind(began, SLUGGISH.sync);
    };
  }

  mayBeQuick(bytes: number): boolean {
    if (bytes > QUICK_BYTES) return false;
    const now = this.#clock.monotonic();
    return now >= this.#cautiousUntil && (this.#syncing === undefined || now - this.#syncing < SLUGGISH.sync);
  }

  /** How long it took. */
  #mind(began: number, sluggish: number): number {
    const now = this.#clock.monotonic();
    if (now - began > sluggish) this.#cautiousUntil = now + CAUTION;
    return now - began;
  }
}
