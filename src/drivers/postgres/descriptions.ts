import type { StatementFacts } from '../../core/facts.ts';
import { formatAt } from '../../wire/postgres/bind.ts';
import { type Field, readRowDescription } from '../../wire/postgres/row-description.ts';

/**
 * What the server last said of the fields of each statement on one connection. Said again in the same bytes it is the
 * very same array, so that what was found out about it holds.
 */
export class Descriptions {
  readonly #last = new WeakMap<StatementFacts, { readonly bytes: Uint8Array; readonly fields: readonly Field[] }>();

  /** Reads the body of a RowDescription. */
  read(statement: StatementFacts | undefined, bytes: Uint8Array, start: number, end: number): readonly Field[] {
    const known = statement && this.#last.get(statement);
    if (known && equal(known.bytes, bytes, start, end)) return known.fields;
    const fields = readRowDescription(bytes, start, end);
    if (statement) this.#last.set(statement, { bytes: bytes.slice(start, end), fields });
    return fields;
  }
}

const formatted = new WeakMap<readonly Field[], { readonly formats: readonly number[]; readonly fields: Field[] }>();

/** The fields in the formats that Bind asks for. The same array for the same formats as last time. */
export function inFormats(fields: readonly Field[], formats: readonly number[]): readonly Field[] {
  if (fields.every((field, i) => field.format === formatAt(formats, i))) return fields;
  const known = formatted.get(fields);
  if (known?.formats.length === formats.length && known.formats.every((format, i) => format === formats[i])) {
    return known.fields;
  }
  const made = fields.map((field, i) => ({ ...field, format: formatAt(formats, i) }));
  formatted.set(fields, { formats, fields: made });
  return made;
}

function equal(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
