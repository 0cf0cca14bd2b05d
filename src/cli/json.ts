import { Failure } from './failure.ts';

// What a gateway answers is read here, field by field: it may be a newer or an older one.

export type JsonObject = Readonly<Record<string, unknown>>;

export function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Text, or a number as text; empty where there is none. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** `1 session`, `2 sessions`. */
export function counted(value: unknown, what: string): string {
  return `${text(value)} ${what}${text(value) === '1' ? '' : 's'}`;
}

export function texts(value: unknown): readonly string[] {
  return list(value).map(text);
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function parseJson(source: string, what: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new Failure(`${what} is not JSON`);
  }
}
