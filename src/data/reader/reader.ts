import type { Catalogs } from '../../catalog/catalogs.ts';
import type { CatalogSnapshot } from '../../core/catalog.ts';
import type { Clock } from '../../core/clock.ts';
import type { SqlFacts, SqlReader, SqlScope } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import { templateOf } from '../../sql/postgres/template.ts';
import { FactsCache, type Texts } from './facts-cache.ts';
import type { Readings } from './readings.ts';

/** Milliseconds between two looks at a catalog for the sake of a name it does not know. */
const LOOK_AGAIN_EVERY = 1_000;

interface Asked {
  readonly text: string;
  /** The template where there is one, and only that: a text with other numbers rarely comes again as it is. */
  readonly key: string;
  readonly scope: SqlScope;
  readonly who: string;
}

/**
 * Reads SQL for the drivers: from memory when the text, or one that differs in plain numbers only, was seen in the
 * same scope under the same catalog, else in the reading process. A name that cannot be resolved is worth one look at the catalog, in case it was made just now.
 */
export class CachedReader {
  readonly #catalogs: Catalogs;
  readonly #readings: Readings;
  readonly #clock: Clock;
  readonly #parsed: (target: string, milliseconds: number) => void;
  readonly #cache = new FactsCache();
  /** The texts of a scope object under an epoch; scope objects live as long as nothing changes in them. */
  readonly #texts = new WeakMap<SqlScope, { readonly epoch: number; readonly texts: Texts }>();
  readonly #looked = new Map<string, number>();

  /** `parsed`: told how long it took to read a statement that was not known. */
  constructor(
    catalogs: Catalogs,
    readings: Readings,
    clock: Clock,
    parsed: (target: string, milliseconds: number) => void = () => {},
  ) {
    this.#parsed = parsed;
    this.#catalogs = catalogs;
    this.#readings = readings;
    this.#clock = clock;
  }

  /** For one principal: what everybody has read is shared, where new texts are read need not be (readings.ts). */
  as(who: string): SqlReader {
    return {
      read: (text, scope) => this.#read(text, scope, who),
      changed: (target, database) => this.changed(target, database),
    };
  }

  #read(text: string, scope: SqlScope, who: string): SqlFacts | Promise<SqlFacts> {
    const snapshot = this.#catalogs.current(scope.target, scope.database);
    const texts = snapshot && this.#textsOf(scope, snapshot);
    const known = texts?.get(text);
    if (known !== undefined) return known;
    const template = templateOf(text);
    const like = template === undefined ? undefined : texts?.like(template, text);
    return like ?? this.#slowly({ text, key: template ?? text, scope, who }, snapshot);
  }

  changed(target: string, database: string): void {
    this.#catalogs.changed(target, database);
  }

  async #slowly(asked: Asked, current: CatalogSnapshot | undefined): Promise<SqlFacts> {
    const { target, database } = asked.scope;
    const snapshot = current ?? (await this.#catalogs.get(target, database));
    try {
      return await this.#under(snapshot, asked);
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== 'SQL_UNRESOLVED' || !this.#mayLookAgain(target, database))
        throw thrown;
      this.#catalogs.changed(target, database);
      const again = await this.#catalogs.get(target, database);
      if (again.epoch === snapshot.epoch) throw thrown;
      return await this.#under(again, asked);
    }
  }

  async #under(snapshot: CatalogSnapshot, { text, key, scope, who }: Asked): Promise<SqlFacts> {
    const texts = this.#textsOf(scope, snapshot);
    const known = texts.get(key);
    if (known !== undefined) return known;
    const began = this.#clock.monotonic();
    const facts = await this.#readings.read(text, scope, snapshot, who);
    this.#parsed(scope.target, this.#clock.monotonic() - began);
    texts.set(key, facts);
    return facts;
  }

  #textsOf(scope: SqlScope, snapshot: CatalogSnapshot): Texts {
    const known = this.#texts.get(scope);
    if (known !== undefined && known.epoch === snapshot.epoch) return known.texts;
    const texts = this.#cache.scope(JSON.stringify([scope, snapshot.epoch]));
    this.#texts.set(scope, { epoch: snapshot.epoch, texts });
    return texts;
  }

  #mayLookAgain(target: string, database: string): boolean {
    const key = JSON.stringify([target, database]);
    const now = this.#clock.monotonic();
    if (now - (this.#looked.get(key) ?? Number.NEGATIVE_INFINITY) < LOOK_AGAIN_EVERY) return false;
    this.#looked.set(key, now);
    return true;
  }
}
