import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { ApprovalState } from '../core/approval.ts';
import type { Clock } from '../core/clock.ts';
import { asFault, Fault } from '../core/fault.ts';
import type { Feed, FeedEntry } from '../core/feed.ts';
import { type DatabaseAddress, type Db, guard, type Listener, openListener } from './database.ts';
import { parseRevocation } from './revocation.ts';

/** What the control plane puts on the feed beside revocations (grants.ts) and versions (versions.ts). */
export interface FeedWriter {
  /** Tells every worker that a database's catalog has changed. */
  catalogChanged(target: string, database: string): Promise<void>;
}

export function feedWriter(db: Db): FeedWriter {
  return {
    catalogChanged: (target, database) =>
      guard(async () => {
        await sql`select feed_append('catalog', ${JSON.stringify({ target, database })})`.execute(db);
      }),
  };
}

const POLL = 500;
const BATCH = 500;

/**
 * Follows the feed on a connection of its own. NOTIFY makes it prompt, a poll every 500 ms makes it sure, and the
 * sequence, which has no gaps, tells whether something was missed. `age` counts from the moment the last complete
 * reading began, so a hung connection, a lost one, a hole in the sequence and a store that went back in time all
 * let it grow.
 */
export class StoreFeed implements Feed {
  readonly #address: DatabaseAddress;
  readonly #clock: Clock;
  readonly #trouble: (fault: Fault) => void;
  #isTroubled = false;
  readonly #listeners = new Set<(entry: FeedEntry) => void>();
  readonly #closing = new AbortController();
  #sequence = -1;
  #currentAt = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;
  #notified = false;
  #following: Promise<void> = Promise.resolve();

  private constructor(address: DatabaseAddress, clock: Clock, trouble: (fault: Fault) => void) {
    this.#address = address;
    this.#clock = clock;
    this.#trouble = trouble;
  }

  /**
   * Resolves once the feed's present end is known; entries from there on are delivered. `trouble` is told why the
   * feed cannot be read, once until it can be again.
   */
  static async open(
    address: DatabaseAddress,
    clock: Clock,
    trouble: (fault: Fault) => void = () => undefined,
  ): Promise<StoreFeed> {
    const feed = new StoreFeed(address, clock, trouble);
    const listener = await feed.#connect();
    feed.#following = feed.#follow(listener);
    return feed;
  }

  subscribe(listener: (entry: FeedEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  age(): number {
    return this.#clock.monotonic() - this.#currentAt;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#following;
  }

  async #connect(): Promise<Connection> {
    const connection: Connection = { listener: undefined, isLost: false };
    connection.listener = await openListener(this.#address, {
      notified: () => this.#stir(),
      lost: () => {
        connection.isLost = true;
        this.#stir();
      },
    });
    try {
      await connection.listener.query('listen sallyport_feed', []);
      await this.#read(connection.listener);
    } catch (error) {
      await connection.listener.close();
      throw error;
    }
    return connection;
  }

  #stir(): void {
    this.#notified = true;
    this.#wake();
  }

  async #follow(first: Connection): Promise<void> {
    let connection: Connection | undefined = first;
    let pause = 50;
    while (!this.#closing.signal.aborted) {
      try {
        connection ??= await this.#connect();
        pause = 50;
        await this.#rest();
        if (connection.isLost || !connection.listener)
          throw new Fault('STORE_UNAVAILABLE', 'the feed lost its connection');
        if (!this.#closing.signal.aborted) await this.#read(connection.listener);
      } catch (error) {
        if (!this.#isTroubled) this.#trouble(asFault(error, 'STORE_UNAVAILABLE'));
        this.#isTroubled = true;
        await connection?.listener?.close();
        connection = undefined;
        await sleep(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        pause = Math.min(pause * 2, POLL);
      }
    }
    await connection?.listener?.close();
  }

  /** Until the next poll is due or somebody has something to say. */
  async #rest(): Promise<void> {
    if (!this.#notified && !this.#closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => undefined;
    }
    this.#notified = false;
  }

  async #read(listener: Listener): Promise<void> {
    for (;;) {
      const began = this.#clock.monotonic();
      // One snapshot: the head and what leads to it.
      const rows = await listener.query(
        `select h.sequence as head, f.sequence, f.kind, f.body from feed_head h
         left join lateral (select * from feed where sequence > $1 order by sequence limit ${BATCH}) f on true
         where h.id = 1 order by f.sequence`,
        [this.#sequence],
      );
      const head = rows[0]?.['head'];
      if (typeof head !== 'number') throw new Fault('STORE_UNAVAILABLE', 'the feed has no head');
      if (this.#sequence < 0) {
        this.#sequence = head;
      } else {
        for (const row of rows) if (row['sequence'] !== null) this.#deliver(row);
      }
      if (this.#sequence > head) throw new Fault('EVIDENCE_BROKEN', 'the feed went back');
      if (this.#sequence === head) {
        this.#currentAt = began;
        this.#isTroubled = false;
        return;
      }
      if (rows.length < BATCH) throw new Fault('EVIDENCE_BROKEN', `the feed ends at ${this.#sequence}, not at ${head}`);
    }
  }

  #deliver(row: Readonly<Record<string, unknown>>): void {
    const next = this.#sequence + 1;
    if (row['sequence'] !== next) throw new Fault('EVIDENCE_BROKEN', `the feed has no entry ${next}`);
    const entry = parseEntry(next, row['kind'], row['body']);
    this.#sequence = next;
    for (const listener of this.#listeners) listener(entry);
  }
}

interface Connection {
  listener: Listener | undefined;
  isLost: boolean;
}

/** An entry that this release cannot read stops the feed: it may be what ends a session. */
function parseEntry(sequence: number, kind: unknown, body: unknown): FeedEntry {
  const text = String(body);
  switch (kind) {
    case 'revoked':
    case 'lifted':
      return { sequence, kind, revocation: parseRevocation(text, sequence) };
    case 'config': {
      const { version }: { version: number } = JSON.parse(text);
      return { sequence, kind, version };
    }
    case 'approval': {
      const { id, state }: { id: string; state: ApprovalState } = JSON.parse(text);
      return { sequence, kind, id, state };
    }
    case 'catalog': {
      const { target, database }: { target: string; database: string } = JSON.parse(text);
      return { sequence, kind, target, database };
    }
    default:
      throw new Fault('EVIDENCE_BROKEN', `a feed entry of an unknown kind: ${String(kind)}`);
  }
}
