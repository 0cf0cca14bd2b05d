import { Fault } from '../core/fault.ts';

/** A row of an answer, and what may be taken for granted about its fields: nothing. */
export type Row = Readonly<Record<string, unknown>>;

/** Throws Fault CATALOG_UNREADABLE. */
export function text(value: unknown): string {
  if (typeof value !== 'string')
    throw new Fault('CATALOG_UNREADABLE', 'the server answered with something that is no text');
  return value;
}

/** `pg` gives int8 as text. Throws Fault CATALOG_UNREADABLE. */
export function number(value: unknown): number {
  const found = Number(value);
  if (!Number.isSafeInteger(found))
    throw new Fault('CATALOG_UNREADABLE', 'the server answered with something that is no number');
  return found;
}

/** A JSON array of numbers; NULL is none. */
export function numbers(value: unknown): number[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value))
    throw new Fault('CATALOG_UNREADABLE', 'the server answered with something that is no list');
  return value.map(number);
}
