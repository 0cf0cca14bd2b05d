import type { Series } from './rounds.ts';
import { paired } from './stats.ts';

/** How much of `theirs` is reached, round by round. */
export function ratioOf(mine: Series, theirs: Series): readonly number[] {
  return paired(mine.values, theirs.values, (a, b) => a / b);
}

/** What is added to `theirs`, round by round. */
export function differenceOf(mine: Series, theirs: Series): readonly number[] {
  return paired(mine.values, theirs.values, (a, b) => a - b);
}

export function cpuRatioOf(mine: Series, theirs: Series): readonly number[] {
  return paired(mine.cpu, theirs.cpu, (a, b) => a / b);
}
