import type { Case } from './case.ts';
import { connects, logins } from './connects.ts';
import { decisions, latency } from './latency.ts';
import { lookups, oneText } from './lookups.ts';
import { copyOut, large, thousand } from './results.ts';

export const cases: readonly Case[] = [
  ...lookups,
  oneText,
  latency,
  ...decisions,
  ...thousand,
  large,
  copyOut,
  logins,
  connects,
];
