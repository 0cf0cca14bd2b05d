/** Statistics of a few rounds. Of an empty list everything is NaN. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Linear between the two nearest ranks. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** How far the rounds lie apart, as a share of their median: what differs by less is noise. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** `of` by `by`, round by round: rounds lie next to each other in time, so what disturbs one disturbs the other. */
export function paired(
  of: readonly number[],
  by: readonly number[],
  how: (a: number, b: number) => number,
): readonly number[] {
  return of.slice(0, by.length).map((value, round) => how(value, by[round] ?? Number.NaN));
}
