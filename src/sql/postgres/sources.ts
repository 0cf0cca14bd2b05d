import type { Column } from './relation.ts';
import type { Site } from './sites.ts';

/** Columns of base relations that a value is computed from. */
export type Sources = ReadonlySet<Column>;

export const NOTHING: Sources = new Set();

export function union(...sets: readonly Sources[]): Sources {
  const full = sets.filter((set) => set.size > 0);
  const [first, ...rest] = full;
  if (!first) return NOTHING;
  if (rest.length === 0) return first;
  return new Set(full.flatMap((set) => [...set]));
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
  for (const { site } of outputs) if (site) site.whole = true;
}

export function shapeSources(shape: Shape): Sources {
  return union(...shape.outputs.map((output) => output.sources), shape.open ?? NOTHING);
}
