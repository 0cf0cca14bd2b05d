import { spend } from './effort.ts';
import { unresolved } from './names.ts';
import type { Column, Relation } from './relation.ts';
import type { Site } from './sites.ts';
import { NOTHING, named, type Output, type Shape, type Sources, shapeSources, union, useWhole } from './sources.ts';

/** Something in FROM that a qualified name can start with. */
export interface Item extends Shape {
  readonly alias: string;
  /** Its schema, when it is a relation without an alias: only then does `schema.table.column` reach it. */
  readonly schema: string | undefined;
  /** The relation itself, for system columns and locks. */
  readonly relation: Relation | undefined;
  /** Where it stands in the text, if something else could stand there. */
  readonly site?: Site | undefined;
}

/** One thing in FROM: what qualified names reach in it, and what unqualified ones do. */
export interface Part {
  readonly items: readonly Item[];
  readonly visible: Shape;
}

/** What a name turned out to be. `row` names the item when it is a whole row. */
export interface Found {
  readonly sources: Sources;
  readonly base?: Column | undefined;
  readonly origin?: Column | undefined;
  readonly site?: Site | undefined;
  readonly total?: boolean | undefined;
  readonly row?: Item;
}

/** A WITH query under its name. Its shape is read when first referred to. */
export interface NamedQuery {
  shape(): Shape;
}

/** The names one query level can see; `outer` is the level around it. Built while FROM is read, then only looked up. */
export class Scope {
  readonly outer: Scope | undefined;
  readonly items: Item[] = [];
  /** What unqualified names reach and `*` stands for, in order. */
  readonly columns: Output[] = [];
  readonly #byName = new Map<string, Output[]>();
  readonly queries: Map<string, NamedQuery>;
  /** Which setting pg_settings.name is here, when WHERE says it is one constant. */
  settingName: string | undefined;
  #open: Sources | undefined;

  constructor(outer: Scope | undefined, queries: Map<string, NamedQuery> = new Map()) {
    this.outer = outer;
    this.queries = queries;
  }

  /** The same level with these things in FROM and no others. */
  only(...parts: readonly Part[]): Scope {
    const scope = new Scope(this.outer, this.queries);
    for (const part of parts) scope.add(part);
    return scope;
  }

  /** The same level with one more thing in FROM. */
  with(part: Part): Scope {
    return this.only({ items: this.items, visible: { outputs: [...this.columns], open: this.#open } }, part);
  }

  add({ items, visible }: Part): void {
    spend(items.length + visible.outputs.length);
    for (const item of items) this.items.push(item);
    for (const output of visible.outputs) {
      this.columns.push(output);
      const same = this.#byName.get(output.name);
      if (same) same.push(output);
      else this.#byName.set(output.name, [output]);
    }
    if (visible.open) this.#open = union(this.#open ?? NOTHING, visible.open);
  }

  star(): Shape {
    useWhole(this.columns);
    return { outputs: [...this.columns], open: this.#open };
  }

  /** The columns that an unqualified name reaches at this level. */
  named(name: string): readonly Output[] {
    return this.#byName.get(name) ?? [];
  }

  namedQuery(name: string): NamedQuery | undefined {
    return this.queries.get(name) ?? this.outer?.namedQuery(name);
  }

  /**
   * An unqualified name: a column of the innermost level that has it, else a whole row. Where something in between may
   * have columns that are not known, the answer holds both what that would be and what is found further out.
   */
  name(name: string): Found {
    const maybe: Sources[] = [];
    for (const level of this.#levels()) {
      const found = level.#own(name);
      if (found) return maybe.length === 0 ? found : { sources: union(found.sources, ...maybe) };
      if (level.#open) maybe.push(level.#open);
    }
    const row = this.item(name);
    if (row) {
      useWhole(row.outputs);
      return { sources: union(shapeSources(row), ...maybe), row };
    }
    if (maybe.length > 0) return { sources: union(...maybe) };
    throw unresolved('column', name);
  }

  /** Only this level: how GROUP BY prefers an input column over an output's alias. */
  ownName(name: string): Found | undefined {
    return this.#own(name);
  }

  #own(name: string): Found | undefined {
    const [match, another] = this.named(name);
    if (another) throw unresolved('column', name);
    if (match) return match;
    spend(this.items.length);
    const system = this.items.flatMap((item) => systemColumn(item, name)?.base ?? []);
    return system[0] && { sources: new Set(system), ...(system.length === 1 ? { base: system[0] } : {}) };
  }

  /** The item a qualifier means, innermost level first. */
  item(alias: string, schema?: string): Item | undefined {
    for (const level of this.#levels()) {
      spend(level.items.length);
      const [match, another] = level.items.filter(
        (item) => item.alias === alias && (schema === undefined || item.schema === schema),
      );
      if (another) throw unresolved('table', alias);
      if (match) return match;
    }
    return undefined;
  }

  *#levels(): Generator<Scope> {
    yield this;
    if (this.outer) yield* this.outer.#levels();
  }
}

/** A column of one item; undefined when it has none of that name. */
export function columnOf(item: Item, name: string): Found | undefined {
  const [match, another] = named(item.outputs, name);
  if (another) throw unresolved('column', `${item.alias}.${name}`);
  if (match) return match;
  const system = systemColumn(item, name);
  if (system) return system;
  return item.open && { sources: item.open };
}

function systemColumn(item: Item, name: string): { readonly sources: Sources; readonly base: Column } | undefined {
  const column = item.relation?.byName.get(name);
  if (!column || column.attribute >= 0) return undefined;
  item.site?.system.add(name);
  return { sources: new Set([column]), base: column };
}
