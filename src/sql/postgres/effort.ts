import { Fault } from '../../core/fault.ts';

/**
 * What reading one text may hold and go through, counted in entries: a column in a set or a list, an item looked at, a
 * node of the tree. One is some 30 bytes and 100 ns, so all of them are some 60 MB and a fifth of a second: far below
 * what costs the reading process its life, and everybody the wait for the next one. `select *` of 1,600 columns needs 20,000,
 * fifty whole rows of them 500,000, a text of as many tokens as there may be 200,000.
 */
export const MOST_EFFORT = 2_000_000;

/** What a column costs that a statement uses: its facts, their way to the gateway, and questions to policy. */
export const PER_COLUMN = 8;

/** What a query level costs besides what stands in it. */
export const PER_QUERY = 10;

/** Nothing outside a reading. Reading is synchronous, so a process is at one text at a time. */
let left = 0;

/** Reads one text within its bound. */
export function bounded<T>(read: () => T): T {
  left = MOST_EFFORT;
  try {
    return read();
  } finally {
    left = 0;
  }
}

/** Called by whatever multiplies, before it does. Throws Fault PROTOCOL_LIMIT when the reading may not go on. */
export function spend(entries: number): void {
  left -= entries;
  if (left < 0) {
    throw new Fault('PROTOCOL_LIMIT', 'a statement may not use so many columns in so many places at once');
  }
}
