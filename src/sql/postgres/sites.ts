import type { SourceColumn, SourceFacts, SourceSite, Span } from '../../core/facts.ts';
import type { Positions } from './positions.ts';
import type { Column, Relation } from './relation.ts';
import { flagAt, listAt, type Tree, textAt, treeAt } from './tree.ts';

/** The names that masked subqueries give to values that only filters see. A statement that says one is not masked so. */
export const RAW_PREFIX = 'sallyport_raw_';

/** One place in the text where a relation with labelled columns is read. Filled while the query around it is read. */
export class Site {
  readonly relation: Relation;
  readonly span: Omit<SourceSite, 'table' | 'schema' | 'relation' | 'columns' | 'system' | 'whole' | 'filters'>;
  readonly columns: readonly Column[];
  readonly system: Set<string> = new Set();
  readonly filters: Map<number, number> = new Map();
  /** Its alias gives its columns other names. */
  renamed = false;
  /** All columns are used at once: by `*`, as a row, by NATURAL. */
  whole = false;
  /** Something about the query hangs on its being a table: it is sampled, or grouped by its key. */
  bound = false;

  constructor(relation: Relation, span: Site['span'], columns: readonly Column[] = relation.columns) {
    this.relation = relation;
    this.span = span;
    this.columns = columns;
  }

  get replaceable(): boolean {
    // Whole rows of a table keep its own column names, whatever its alias calls them; extra columns would be part of them.
    if (this.bound || (this.whole && (this.renamed || this.system.size > 0))) return false;
    return this.columns.every((column) => column.typeName !== undefined);
  }

  facts(): SourceSite {
    const { resource, oid } = this.relation;
    const [schema = '', relation = ''] = resource.path.slice(-2);
    return {
      ...this.span,
      table: oid,
      schema,
      relation,
      columns: this.columns.map(sourceColumn),
      system: [...this.system],
      // Names for the columns of an alias count from the left, and would reach those that only filters see.
      whole: this.whole || this.renamed,
      filters: [...this.filters].map(([at, attribute]) => ({ attribute, at })),
    };
  }
}

function sourceColumn({ name, attribute, type, typeName = '', base, labels }: Column): SourceColumn {
  return { name, attribute, type, typeName, ...(base ? { base } : {}), labelled: labels.length > 0 };
}

/** Takes down where relations with labelled columns stand, for those who may put something else there. */
export class Sites {
  readonly #positions: Positions;
  /** By the first token: what is read twice stands once. */
  readonly #sites = new Map<number, Site>();
  readonly #qualifiers = new Map<number, Span & { readonly table: number }>();
  /** Relations of which some place cannot be cut out of the text. */
  readonly #lost = new Set<Relation>();

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  /** A relation in FROM. Undefined where none of its columns is labelled, or its place cannot be found. */
  open(range: Tree, relation: Relation): Site | undefined {
    if (!relation.labelled) return undefined;
    const span = this.#from(range);
    if (span) {
      const site = this.#keep(new Site(relation, span));
      site.renamed = listAt(treeAt(range, 'alias') ?? {}, 'colnames').length > 0;
      return site;
    }
    this.#lost.add(relation);
    return undefined;
  }

  /** What COPY … TO names. */
  copied(range: Tree, relation: Relation, columns: readonly Column[]): void {
    if (!relation.labelled) return;
    const name = this.#positions.name(location(range));
    const listed = name && this.#positions.is(name.to, '(') ? this.#positions.closing(name.to) : undefined;
    if (!name) return void this.#lost.add(relation);
    // COPY of a table gives its own rows, those of its children apart.
    const only = relation.kind !== 'p';
    const span = { from: name.from, to: listed === undefined ? name.to : listed + 1, only, alias: undefined };
    this.#keep(new Site(relation, { ...span, stands: 'copy' }, columns));
  }

  /** A labelled column of a site decides about rows where it is named. False: that place cannot be found. */
  filter(site: Site, reference: Tree, attribute: number): boolean {
    const name = this.#positions.name(location(reference));
    if (name) site.filters.set(name.to - 1, attribute);
    return name !== undefined;
  }

  /** `schema.table.column` and `schema.table.*`: a subquery has no schema. */
  qualified(reference: Tree, site: Site, qualifiers: number): void {
    const name = this.#positions.name(location(reference));
    if (!name) return void this.#lost.add(site.relation);
    if (qualifiers < 2) return;
    const to = name.from + 2 * (qualifiers - 1);
    this.#qualifiers.set(name.from, { from: name.from, to, table: site.relation.oid });
  }

  facts(): SourceFacts | undefined {
    const all = [...this.#sites.values()];
    const lost = new Set([...this.#lost, ...all.filter((site) => !site.replaceable).map((site) => site.relation)]);
    const sites = all.filter((site) => !lost.has(site.relation)).map((site) => site.facts());
    return sites.length === 0 ? undefined : { sites, qualifiers: [...this.#qualifiers.values()] };
  }

  #keep(site: Site): Site {
    const known = this.#sites.get(site.span.from);
    if (known) return known;
    this.#sites.set(site.span.from, site);
    return site;
  }

  #from(range: Tree): Site['span'] | undefined {
    const name = this.#positions.name(location(range));
    if (!name || this.#positions.is(name.to, '*')) return undefined;
    const alias = treeAt(range, 'alias') ? undefined : textAt(range, 'relname');
    const only = !flagAt(range, 'inh');
    const { from, to } = only ? this.#withOnly(name) : name;
    const table = this.#positions.is(from - 1, 'table');
    return { from: table ? from - 1 : from, to, only, stands: table ? 'table' : 'from', alias };
  }

  /** `ONLY t` and `ONLY (t)`. */
  #withOnly({ from, to }: Span): Span {
    if (this.#positions.is(from - 1, 'only')) return { from: from - 1, to };
    return { from: from - 2, to: to + 1 };
  }
}

function location(node: Tree): number {
  const { location: byte } = node;
  return typeof byte === 'number' ? byte : 0;
}
