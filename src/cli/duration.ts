import { InvalidArgumentError } from 'commander';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** `90`, `90s`, `15m`, `1h`, `2d` in seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(s|m|min|h|d)?$/.exec(text);
  const unit = SECONDS[match?.[2] ?? 's'];
  if (!match || unit === undefined || Number(match[1]) === 0) {
    throw new InvalidArgumentError('Write a time like 90s, 15m, 1h or 2d.');
  }
  return Number(match[1]) * unit;
}

export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}
