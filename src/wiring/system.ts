import { randomBytes } from 'node:crypto';
import type { Clock, Random } from '../core/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
};
