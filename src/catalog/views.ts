import { createHash } from 'node:crypto';
import type { CatalogRelation, CatalogSnapshot } from '../core/catalog.ts';
import type { OutputLineage, TraceViews, ViewDefinition } from './ports.ts';
import type { Flow, RawCatalog } from './read.ts';

/** By view, the lineage of its columns. Undefined: it cannot be told; not there: it was not asked. */
export type Lineages = ReadonlyMap<number, readonly OutputLineage[] | undefined>;

/** Views that go to the reading process at once: a statement waiting behind them waits some milliseconds. */
const BATCH = 25;
/** After so many failures of the reading process itself the rest of a reading goes untraced, and is tried at the next. */
const MOST_FAILURES = 3;

/** Traces the views of one database, and remembers: only what changed is read again. */
export class ViewTracer {
  readonly #trace: TraceViews;
  #known = new Map<string, readonly OutputLineage[] | undefined>();

  constructor(trace: TraceViews) {
    this.#trace = trace;
  }

  /** Those of the views that were never traced as they are now. */
  unknown(views: readonly number[], raw: RawCatalog): number[] {
    const keyOf = keys(raw);
    return views.filter((view) => !this.#known.has(keyOf(view)));
  }

  /** `texts`: definitions of unknown views. What is not in the answer could not be asked now. Never throws. */
  async trace(
    views: readonly number[],
    texts: ReadonlyMap<number, string>,
    { catalog, raw }: { readonly catalog: CatalogSnapshot; readonly raw: RawCatalog },
  ): Promise<Lineages> {
    const byOid = new Map(raw.relations.map((relation) => [relation.oid, relation]));
    const keyOf = keys(raw);
    const keyed = new Map(views.map((view) => [view, keyOf(view)]));
    const fresh = [...texts].map(([view, text]): ViewDefinition => {
      return { view, text, columns: byOid.get(view)?.columns.map((column) => column.attribute) ?? [] };
    });
    const answers = await this.#ask(fresh, { ...catalog, relations: needed(fresh, raw, byOid) });
    const found = new Map(
      [...keyed].flatMap(([view, key]): [number, readonly OutputLineage[] | undefined][] => {
        if (answers.has(view)) return [[view, answers.get(view)]];
        return this.#known.has(key) ? [[view, this.#known.get(key)]] : [];
      }),
    );
    this.#known = new Map([...found].map(([view, lineage]) => [keyed.get(view) ?? '', lineage]));
    return found;
  }

  async #ask(fresh: readonly ViewDefinition[], catalog: CatalogSnapshot): Promise<Lineages> {
    const answers = new Map<number, readonly OutputLineage[] | undefined>();
    const queue = Array.from({ length: Math.ceil(fresh.length / BATCH) }, (_, n) =>
      fresh.slice(n * BATCH, (n + 1) * BATCH),
    );
    for (let failures = 0; failures < MOST_FAILURES; ) {
      const batch = queue.shift();
      if (batch === undefined) break;
      try {
        const told = new Map((await this.#trace(batch, catalog)).map(({ view, columns }) => [view, columns]));
        for (const { view } of batch) answers.set(view, told.get(view));
      } catch {
        failures += 1;
        // One of them is to blame: the others get their answer, and that one is remembered.
        const [only, ...more] = batch;
        if (more.length > 0) queue.push(...batch.map((each) => [each]));
        else if (only !== undefined) answers.set(only.view, undefined);
      }
    }
    return answers;
  }
}

/** Everything an answer depends on: the rule, and the columns of what it names, for it may name whole rows. */
function keys(raw: RawCatalog): (view: number) => string {
  const byOid = new Map(raw.relations.map((relation) => [relation.oid, relation]));
  const signatures = new Map<number, string>();
  const signature = (oid: number): string => {
    const known = signatures.get(oid);
    if (known !== undefined) return known;
    const { schema, name, columns = [] } = byOid.get(oid) ?? {};
    const made = JSON.stringify([oid, schema, name, columns.map((column) => [column.name, column.attribute])]);
    signatures.set(oid, made);
    return made;
  };
  return (view) => {
    const { rule, relations } = raw.views.get(view) ?? { rule: '', relations: [] };
    const parts = [rule, ...[view, ...relations.toSorted((a, b) => a - b)].map(signature)];
    return createHash('sha256').update(parts.join('\0')).digest('base64');
  };
}

/** The relations the definitions name; the server's own, on which nothing is recorded to depend, where one may be named. */
function needed(
  definitions: readonly ViewDefinition[],
  raw: RawCatalog,
  byOid: ReadonlyMap<number, CatalogRelation>,
): CatalogRelation[] {
  const used = new Set(definitions.flatMap(({ view }) => raw.views.get(view)?.relations ?? []));
  const own = definitions.some(({ text }) => text.includes('pg_'))
    ? raw.relations.filter((relation) => relation.schema === 'pg_catalog' && !used.has(relation.oid))
    : [];
  return [...[...used].flatMap((oid) => byOid.get(oid) ?? []), ...own];
}

/** Tells which views could not be traced: what they show is masked more than it need be. */
export function untraced(views: readonly number[], lineages: Lineages, { relations }: RawCatalog): string[] {
  const asked = new Set(views);
  const names = relations.flatMap(({ oid, schema, name }) => {
    return asked.has(oid) && lineages.get(oid) === undefined ? [`${schema}.${name}`] : [];
  });
  if (names.length === 0) return [];
  const named = names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  return [`the columns of ${named} could not be traced: all of them have the labels of everything the view uses`];
}

/** Flows into views: exact where they could be traced, else from everything a view uses to everything it shows. */
export function viewFlows({ views }: RawCatalog, lineages: Lineages = new Map()): Flow[] {
  return [...views].flatMap(([view, { columns }]): Flow[] => {
    const outputs = lineages.get(view);
    if (outputs === undefined)
      return columns.map((from) => ({ from, to: { relation: view, attribute: 0 }, how: 'computed' }));
    return outputs.flatMap(({ attribute, from, same }): Flow[] => {
      const to = { relation: view, attribute };
      return same ? [{ from: same, to, how: 'copy' }] : from.map((each) => ({ from: each, to, how: 'computed' }));
    });
  });
}
