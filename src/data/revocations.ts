import { type Denial, deny } from '../core/decision.ts';
import { bites, type Feed, type FeedEntry, type Revocation, strikeKey } from '../core/feed.ts';
import type { Ending } from '../core/session.ts';
import type { Registry, Strikable } from './registry.ts';

/** Older than this, the feed is not believed: nothing new is cleared until it caught up. */
const PAUSE_AFTER = 2_000;
/** Said of an operation that nothing could be cleared for. */
export const SILENT: string = 'revocations cannot be heard, so nothing is cleared';
/** How often the age is looked at while somebody waits or sessions are live. */
const WATCH_EVERY = 250;

/**
 * Hears revocations and makes them felt: live sessions end, later look-ups are refused, and while nothing can be heard
 * operations and results pause. After the grace of silence every session ends: who cannot hear a revocation must not
 * ignore one.
 */
export class Revocations {
  readonly #feed: Feed;
  readonly #registry: Registry;
  readonly #grace: number;
  readonly #heard = new Map<string, Revocation>();
  #paused = false;
  /** How many were heard since the start. */
  count = 0;
  readonly #waiting = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: () => void;

  constructor(feed: Feed, registry: Registry, grace: number, onEntry: (entry: FeedEntry) => void) {
    this.#feed = feed;
    this.#registry = registry;
    this.#grace = grace;
    this.#unsubscribe = feed.subscribe((entry) => {
      if (entry.kind === 'revoked' || entry.kind === 'lifted') this.#strike(entry.revocation);
      else onEntry(entry);
    });
    this.#timer = setInterval(() => this.#watch(), WATCH_EVERY);
    this.#timer.unref();
  }

  /** Takes in what was said before this listened. What was heard since then is newer, and stays. */
  recall(earlier: readonly Revocation[]): void {
    for (const revocation of earlier) {
      const key = strikeKey(revocation.subject);
      if (!this.#heard.has(key)) this.#heard.set(key, revocation);
    }
  }

  /** The revocation that strikes one of these, among those heard since the start and those recalled. */
  struck(strikables: readonly Strikable[]): Revocation | undefined {
    if (this.#heard.size === 0) return undefined;
    for (const { key, born } of strikables) {
      const found = this.#heard.get(key);
      if (found !== undefined && bites(found, born)) return found;
    }
    return undefined;
  }

  /** Revocations have not been heard for longer than is believed. */
  get silent(): boolean {
    return this.#feed.age() > PAUSE_AFTER;
  }

  /** Undefined when revocations are being heard; else waits until they are, or until the grace is over. */
  fresh(): Denial | undefined | Promise<Denial | undefined> {
    if (!this.silent) return undefined;
    return new Promise((resolve) => {
      this.#waiting.add(() => {
        resolve(this.silent ? deny('feed-stale', SILENT) : undefined);
      });
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unsubscribe();
    this.#release();
  }

  #strike(revocation: Revocation): void {
    this.count += 1;
    this.#heard.set(strikeKey(revocation.subject), revocation);
    this.#registry.strike(revocation, endingOf(revocation));
  }

  #watch(): void {
    const age = this.#feed.age();
    const { silent } = this;
    if (silent !== this.#paused) {
      this.#paused = silent;
      this.#registry.pauseAll(silent);
    }
    if (!silent) return this.#release();
    if (age <= this.#grace) return;
    this.#registry.stopAll({
      cause: 'stale',
      message: 'revocations could not be heard for too long; the session was ended to be safe',
    });
    this.#release();
  }

  #release(): void {
    for (const each of this.#waiting) each();
    this.#waiting.clear();
  }
}

export function endingOf({ subject, reason }: Revocation): Ending {
  const why = reason === '' ? '' : `: ${reason}`;
  if (subject.kind === 'session') return { cause: 'killed', message: `this session was ended${why}` };
  return { cause: 'revoked', message: `access was revoked (${subject.kind})${why}` };
}
