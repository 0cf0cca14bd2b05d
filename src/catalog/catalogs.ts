import type { CatalogRelation, CatalogSnapshot } from '../core/catalog.ts';
import type { Clock } from '../core/clock.ts';
import { asFault, Fault } from '../core/fault.ts';
import { follow, type Labels, withLabels } from './labels.ts';
import type { CatalogConnect, CatalogConnection, CatalogRules, TraceViews } from './ports.ts';
import { readVersion } from './read.ts';
import { type Reading, readCatalog } from './reading.ts';
import { type Lineages, untraced, ViewTracer, viewFlows } from './views.ts';

/**
 * What is in the databases behind the targets: names, columns, labels, as far as reading statements needs it. Read on
 * the gateway's own connection, one immutable snapshot per epoch. This room knows nothing of statements or policies, and
 * it never hands out a snapshot it has reason to doubt: what cannot be read again is not there.
 */

export interface CatalogsOptions {
  readonly connect: CatalogConnect;
  readonly rules: (target: string) => CatalogRules | undefined;
  /** Finds out where columns of views come from. Absent: everything a view uses counts as in everything it shows. */
  readonly trace?: TraceViews;
  readonly clock: Clock;
  /** Milliseconds between looks for changes nobody told of. */
  readonly pollEvery?: number;
  /** Told at each reading that found it: a database that cannot be read, a label rule that does not fit, a role that may too much. */
  readonly onProblem: (target: string, database: string, problem: string) => void;
}

interface Entry {
  snapshot: CatalogSnapshot | undefined;
  fingerprint: string;
  /** A reading under way; whoever asks meanwhile waits for it. */
  loading: Promise<CatalogSnapshot> | undefined;
  /** Somebody saw DDL: what is held must not be used. */
  doubted: boolean;
  connection: CatalogConnection | undefined;
  rules: CatalogRules | undefined;
  direct: Labels;
  tracer: ViewTracer | undefined;
  usedAt: number;
}

interface LabelledRelations {
  readonly relations: readonly CatalogRelation[];
  readonly problems: readonly string[];
  /** Every view that could be traced was. */
  readonly isComplete: boolean;
}

const POLL_EVERY = 30_000;
/** A database nobody asked about for so long is forgotten and its connection closed. */
const IDLE_AFTER = 10 * 60_000;

export class Catalogs {
  readonly #options: CatalogsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #timer: NodeJS.Timeout;
  #epoch = 0;

  constructor(options: CatalogsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#poll(), options.pollEvery ?? POLL_EVERY);
    this.#timer.unref();
  }

  /** The snapshot in use, when nothing speaks against it. */
  current(target: string, database: string): CatalogSnapshot | undefined {
    const entry = this.#entries.get(keyOf(target, database));
    if (entry === undefined || entry.doubted || entry.rules !== this.#options.rules(target)) return undefined;
    entry.usedAt = this.#options.clock.monotonic();
    return entry.snapshot;
  }

  /** The snapshot in use, read first where there is none or it is doubted. Throws Fault CATALOG_UNREADABLE. */
  async get(target: string, database: string): Promise<CatalogSnapshot> {
    const held = this.current(target, database);
    if (held !== undefined) return held;
    const entry = this.#entry(target, database);
    // A reading that began before the doubt does not settle it.
    while (entry.loading !== undefined) {
      const loaded = await entry.loading;
      if (!entry.doubted) return loaded;
    }
    return await this.#load(target, database, entry);
  }

  /** DDL was seen, or the server described something the snapshot does not know: read again before the next answer. */
  changed(target: string, database: string): void {
    const entry = this.#entries.get(keyOf(target, database));
    if (entry !== undefined) entry.doubted = true;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const connections = [...this.#entries.values()].map(async (entry) => await entry.connection?.end());
    this.#entries.clear();
    await Promise.all(connections);
  }

  #entry(target: string, database: string): Entry {
    const key = keyOf(target, database);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = {
      snapshot: undefined,
      fingerprint: '',
      loading: undefined,
      doubted: false,
      connection: undefined,
      rules: undefined,
      direct: new Map(),
      tracer: this.#options.trace && new ViewTracer(this.#options.trace),
      usedAt: this.#options.clock.monotonic(),
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #load(target: string, database: string, entry: Entry): Promise<CatalogSnapshot> {
    entry.doubted = false;
    entry.loading = this.#read(target, database, entry)
      .catch((thrown: unknown) => {
        entry.snapshot = undefined;
        entry.doubted = true;
        const fault = asFault(thrown, 'CATALOG_UNREADABLE');
        this.#options.onProblem(target, database, describe(fault));
        throw fault;
      })
      .finally(() => {
        entry.loading = undefined;
      });
    return entry.loading;
  }

  async #read(target: string, database: string, entry: Entry): Promise<CatalogSnapshot> {
    const rules = this.#options.rules(target);
    const isSame = entry.rules === rules;
    const { tracer } = entry;
    const options = {
      rules: rules?.columns ?? [],
      roles: rules?.roles ?? [],
      before: isSame ? entry.direct : undefined,
      fingerprint: isSame && entry.snapshot !== undefined ? entry.fingerprint : undefined,
      ...(tracer ? { wanted: tracer.unknown.bind(tracer) } : {}),
    };
    const reading = await this.#withConnection(target, database, entry, (connection) =>
      readCatalog(connection, options),
    );
    if (reading === undefined && entry.snapshot !== undefined) return entry.snapshot;
    if (reading === undefined) throw new Fault('CATALOG_UNREADABLE', 'the catalog was forgotten while it was read');
    const { raw, ruled, alarms } = reading;
    const { major, schemas, functions } = raw;
    const base = { target, database, major, functions, schemas, targetLabels: rules?.labels ?? [] };
    const { relations, problems, isComplete } = await this.#labelled(reading, entry, base);
    for (const problem of [...alarms, ...ruled.problems, ...problems]) {
      this.#options.onProblem(target, database, problem);
    }
    entry.snapshot = { ...base, epoch: this.#nextEpoch(), relations };
    // What is incomplete is read again when it is next looked at.
    entry.fingerprint = isComplete ? raw.fingerprint : '';
    entry.direct = ruled.direct;
    entry.rules = rules;
    return entry.snapshot;
  }

  async #labelled(
    { raw, ruled, reached, definitions }: Reading,
    { tracer }: Entry,
    base: Omit<CatalogSnapshot, 'epoch' | 'relations'>,
  ): Promise<LabelledRelations> {
    const bare = { ...base, epoch: this.#nextEpoch(), relations: raw.relations };
    const lineages: Lineages = (await tracer?.trace(reached, definitions, { catalog: bare, raw })) ?? new Map();
    const flows = [...raw.flows, ...viewFlows(raw, lineages)];
    const labels = follow(ruled.direct, raw.relations, { flows, opaque: raw.opaque });
    return {
      relations: withLabels(raw.relations, labels),
      problems: tracer ? untraced(reached, lineages, raw) : [],
      isComplete: tracer === undefined || reached.every((view) => lineages.has(view)),
    };
  }

  #nextEpoch(): number {
    this.#epoch += 1;
    return this.#epoch;
  }

  /** Tries once more on a fresh connection: the old one may have died of idleness. */
  async #withConnection<T>(
    target: string,
    database: string,
    entry: Entry,
    use: (connection: CatalogConnection) => Promise<T>,
  ): Promise<T> {
    const held = entry.connection;
    if (held !== undefined) {
      try {
        return await use(held);
      } catch {
        entry.connection = undefined;
        await held.end();
      }
    }
    const fresh = await this.#options.connect(target, database);
    entry.connection = fresh;
    return await use(fresh);
  }

  #poll(): void {
    const now = this.#options.clock.monotonic();
    for (const [key, entry] of this.#entries) {
      if (entry.loading !== undefined) continue;
      if (now - entry.usedAt > IDLE_AFTER) {
        this.#entries.delete(key);
        void entry.connection?.end();
        continue;
      }
      if (entry.snapshot !== undefined && !entry.doubted) void this.#look(entry.snapshot, entry);
    }
  }

  async #look({ target, database }: CatalogSnapshot, entry: Entry): Promise<void> {
    try {
      const { fingerprint } = await this.#withConnection(target, database, entry, readVersion);
      if (fingerprint !== entry.fingerprint) entry.doubted = true;
    } catch {
      entry.doubted = true;
    }
  }
}

/** Neither has NUL in it. Made for every statement. */
function keyOf(target: string, database: string): string {
  return `${target}\0${database}`;
}

function describe(fault: Fault): string {
  const { cause } = fault;
  return cause instanceof Error ? `${fault.message}: ${cause.message}` : fault.message;
}
