/** A view costs more than the bytes of most cells. */
const WORTH_A_VIEW = 48;

/** Copies from[start, end) to `at` and returns where it ends. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  if (end - start > WORTH_A_VIEW) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at + i - start] = from[i] ?? 0;
  return at + end - start;
}
