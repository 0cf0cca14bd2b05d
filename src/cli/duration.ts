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

/** A time of its own, or a span back from now; as the API takes it. What was parsed parses to itself. */
export function parseSince(text: string): string {
  if (/^\d{4}-/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  return new Date(Date.now() - parseDuration(text) * 1000).toISOString();
}
