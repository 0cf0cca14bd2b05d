import type { Clock } from '../../core/clock.ts';
import { asFault } from '../../core/fault.ts';
import type { CatalogConnection } from '../ports.ts';
import type { Ours } from './backends.ts';
import { type BypassFinding, judge, type Strangers } from './judge.ts';
import { type Look, lookAround } from './look.ts';

/** A target that is watched. */
export interface WatchedTarget {
  readonly name: string;
  /** Which server, and as whom; whatever it says, another text is another server. */
  readonly server: string;
  readonly databases: readonly string[];
  /** Only sessions of these roles; undefined: of all. */
  readonly roles: readonly string[] | undefined;
}

/** What is known of one target. */
export interface BypassState {
  readonly target: string;
  /** Milliseconds since the epoch; undefined before the first look. */
  readonly lookedAt: number | undefined;
  readonly findings: readonly BypassFinding[];
  /** Why less is seen than there may be, or nothing. */
  readonly limits: readonly string[];
}

export interface BypassWatchOptions {
  readonly targets: () => readonly WatchedTarget[];
  /** Opens the gateway's own connection to a target's default database. Throws Fault. */
  readonly connect: (target: string) => Promise<CatalogConnection>;
  readonly ours: () => Promise<Ours>;
  /** A finding that is new, or was told an hour ago. */
  readonly alarm: (target: string, finding: BypassFinding) => Promise<void>;
  readonly clock: Clock;
  /** Milliseconds between looks at one target. */
  readonly every?: number;
}

interface Entry {
  server: string;
  connection: CatalogConnection | undefined;
  looking: Promise<BypassState> | undefined;
  state: BypassState;
  strangers: Strangers;
  nextAt: number;
  failures: number;
  readonly toldAt: Map<string, number>;
}

const EVERY = 30_000;
/** How long a target that cannot be looked at is left alone, at most. */
const LONGEST = 10 * 60_000;
const HOUR = 3_600_000;
/** How often due targets are looked for: often enough that a look is a second late at most. */
const TICK = 1_000;

/**
 * Looks for sessions at the targets that did not come through the gateway, on a connection of its own and with one
 * query each time. It accuses; it ends nothing, and nothing depends on what it finds.
 */
export class BypassWatch {
  readonly #options: BypassWatchOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(options: BypassWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#timer.unref();
  }

  /** Of every target that is watched, as of its last look. */
  states(): readonly BypassState[] {
    return this.#options.targets().map(({ name, server }) => {
      const entry = this.#entries.get(name);
      return entry?.server === server ? entry.state : unknown(name);
    });
  }

  /** Looks now; one look at a time. Undefined for a target that is not watched. Never throws. */
  async look(name: string): Promise<BypassState | undefined> {
    const target = this.#options.targets().find((one) => one.name === name);
    return target && (await this.#look(target));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(async ({ connection }) => await connection?.end()));
  }

  #tick(): void {
    const targets = this.#options.targets();
    const names = new Set(targets.map(({ name }) => name));
    for (const [name, { connection }] of this.#entries) {
      if (names.has(name)) continue;
      this.#entries.delete(name);
      void connection?.end();
    }
    const now = this.#options.clock.monotonic();
    for (const target of targets) if (now >= this.#entry(target).nextAt) void this.#look(target);
  }

  #entry({ name, server }: WatchedTarget): Entry {
    const known = this.#entries.get(name);
    if (known?.server === server) return known;
    void known?.connection?.end();
    const entry: Entry = {
      server,
      connection: undefined,
      looking: undefined,
      state: unknown(name),
      strangers: new Map(),
      nextAt: this.#options.clock.monotonic() + TICK,
      failures: 0,
      toldAt: new Map(),
    };
    this.#entries.set(name, entry);
    return entry;
  }

  #look(target: WatchedTarget): Promise<BypassState> {
    const entry = this.#entry(target);
    entry.looking ??= this.#lookOnce(target, entry).finally(() => {
      entry.looking = undefined;
    });
    return entry.looking;
  }

  async #lookOnce(target: WatchedTarget, entry: Entry): Promise<BypassState> {
    const { clock, every = EVERY } = this.#options;
    try {
      const look = await this.#around(target, entry);
      // Asked after the look: what logged in before it is known by now.
      const ours = await this.#options.ours();
      const now = clock.now();
      const known = look.pooled ? [] : look.sessions;
      const { findings, strangers } = judge(known, ours, { before: entry.strangers, now });
      entry.strangers = strangers;
      entry.state = { target: target.name, lookedAt: now, findings, limits: limitsOf(look) };
      entry.failures = 0;
      entry.nextAt = clock.monotonic() + every;
    } catch (thrown) {
      entry.failures += 1;
      entry.nextAt = clock.monotonic() + Math.min(LONGEST, every * 2 ** entry.failures);
      const { message } = asFault(thrown);
      entry.state = { ...entry.state, findings: [], limits: [`not looked at: ${message}`] };
    }
    // What cannot be told now is told after the next look.
    await this.#tell(target.name, entry).catch(() => undefined);
    return entry.state;
  }

  /** On the connection of the last look, which may have died since. */
  async #around({ name, databases, roles }: WatchedTarget, entry: Entry): Promise<Look> {
    const held = entry.connection;
    entry.connection = undefined;
    if (held !== undefined) {
      try {
        return await this.#keeping(entry, held, await lookAround(held, { databases, roles }));
      } catch {
        await held.end();
      }
    }
    const fresh = await this.#options.connect(name);
    try {
      return await this.#keeping(entry, fresh, await lookAround(fresh, { databases, roles }));
    } catch (thrown) {
      await fresh.end();
      throw thrown;
    }
  }

  async #keeping(entry: Entry, connection: CatalogConnection, look: Look): Promise<Look> {
    const isCurrent = [...this.#entries.values()].includes(entry);
    if (this.#closed || !isCurrent) await connection.end();
    else entry.connection = connection;
    return look;
  }

  async #tell(target: string, { state, toldAt }: Entry): Promise<void> {
    const now = this.#options.clock.monotonic();
    for (const [key, at] of toldAt) if (now - at >= HOUR) toldAt.delete(key);
    for (const finding of state.findings) {
      const key = JSON.stringify([finding.role, finding.address ?? null]);
      if (toldAt.has(key)) continue;
      await this.#options.alarm(target, finding);
      toldAt.set(key, now);
    }
  }
}

function unknown(target: string): BypassState {
  return { target, lookedAt: undefined, findings: [], limits: [] };
}

function limitsOf({ pooled, seesAll, more }: Look): string[] {
  if (pooled) return ['a pooler stands between the gateway and the target: nobody can tell whose sessions are whose'];
  const limits: string[] = [];
  if (!seesAll)
    limits.push(
      'of sessions of other roles neither address nor age is seen: grant pg_read_all_stats to the gateway’s role',
    );
  if (more) limits.push('there are more sessions than one look takes');
  return limits;
}
