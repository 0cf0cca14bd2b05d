import { spend } from './effort.ts';
import type { Column } from './relation.ts';
import type { Site } from './sites.ts';

/** Columns of base relations that a value is computed from. */
export type Sources = ReadonlySet<Column>;

export const NOTHING: Sources = new Set();

export function union(...sets: readonly Sources[]): Sources {
  // The same set comes again and again where columns are passed on.
  const full = new Set(sets.filter((set) => set.size > 0));
  const [first = NOTHING] = full;
  if (full.size < 2) return first;
  const merged = new Set<Column>();
  for (const set of full) {
    spend(set.size);
    for (const column of set) merged.add(column);
  }
  return merged;
}

/** One column of a query's result or of something in FROM. */
export interface Output {
  readonly name: string;
  readonly sources: Sources;
  /** Set when it is exactly this column, passed on untouched within one query level. */
  readonly base?: Column | undefined;
  /** Exactly this column, passed on untouched through any number of levels. */
  readonly origin?: Column | undefined;
  /** Where in the text that column's relation stands, if its own name reaches it here. */
  readonly site?: Site | undefined;
  /** Computed by total functions alone (total.ts), if at all. */
  readonly total?: boolean | undefined;
}

/** What a query gives: its columns, and where it may have more than can be listed, what those are computed from. */
export interface Shape {
  readonly outputs: readonly Output[];
  readonly open: Sources | undefined;
}

/** All columns of what is named are used at once. */
export function useWhole(outputs: readonly Output[]): void {
  spend(outputs.length);
  for (const { site } of outputs) if (site) site.whole = true;
}

const whole = new WeakMap<Shape, Sources>();

/** What all of it together is computed from. */
export function shapeSources(shape: Shape): Sources {
  const known = whole.get(shape);
  if (known) return known;
  spend(shape.outputs.length);
  const sources = union(...shape.outputs.map((output) => output.sources), shape.open ?? NOTHING);
  whole.set(shape, sources);
  return sources;
}

/** Fewer are as quickly looked through. */
const WORTH_AN_INDEX = 16;
const indexes = new WeakMap<readonly Output[], ReadonlyMap<string, readonly Output[]>>();

/** The outputs of this name. */
export function named(outputs: readonly Output[], name: string): readonly Output[] {
  if (outputs.length < WORTH_AN_INDEX) return outputs.filter((output) => output.name === name);
  let index = indexes.get(outputs);
  if (index === undefined) {
    spend(outputs.length);
    index = Map.groupBy(outputs, (output) => output.name);
    indexes.set(outputs, index);
  }
  return index.get(name) ?? [];
}
