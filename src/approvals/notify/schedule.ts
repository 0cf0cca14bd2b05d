import type { Outcome } from './ports.ts';

/** Tries before a delivery is dead: 10 in about three hours. */
export const TRIES = 10;

/** Milliseconds after which a try that has not ended has failed. */
export const TRY_WITHIN = 10_000;

/** Milliseconds that a delivery is kept from others while it is tried: longer than a try and what it takes to say how it ended. */
export const LEASE = 30_000;

const FIRST = 10_000;
const FACTOR = 2.5;
const LONGEST = 3_600_000;

/**
 * What becomes of a delivery whose `tries`th try has failed. Waiting times grow from 10 seconds to an hour, a fifth
 * more or less by chance (`luck` in [0, 1)), so that those who failed together do not come back together; never less
 * than the receiver asked for, within reason.
 */
export function afterFailure(tries: number, error: string, { luck, asked = 0 }: Chance): Outcome {
  if (tries >= TRIES) return { kind: 'dead', error };
  const usual = Math.min(FIRST * FACTOR ** (tries - 1), LONGEST);
  const again = Math.max(usual * (0.8 + 0.4 * luck), Math.min(Math.max(0, asked), LONGEST));
  return { kind: 'failed', error, again: Math.round(again) };
}

export interface Chance {
  readonly luck: number;
  /** Milliseconds, as in Retry-After. */
  readonly asked?: number | undefined;
}
