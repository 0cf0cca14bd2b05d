import type { Mask } from '../core/obligation.ts';
import { JSON_IMAGE } from './json-paths.ts';
import { quote } from './source-type.ts';
import { kindOf, type ResultField } from './types.ts';

type PathMask = Pick<Mask, 'style' | 'path'>;

/**
 * SQL for a jsonb value in which what lies at the paths is covered; undefined: it has to be covered as a whole, as json
 * has, whose text may hold a key twice. An object with an array on the way is covered as a whole, too.
 */
export function jsonImage(reference: string, field: ResultField, masks: readonly PathMask[]): string | undefined {
  if (kindOf(field.type) !== 'jsonb') return undefined;
  const paths = masks.map(({ path = [] }) => path);
  const prefixes = new Map(
    paths.flatMap((path) => path.map((_, end) => path.slice(0, end))).map((part) => [part.join('\0'), part]),
  );
  const arrays = [...prefixes.values()].map((part) => `${typeAt(reference, part)} OPERATOR(pg_catalog.=) 'array'`);
  const covered = masks.reduce((value, { style, path = [] }) => {
    const image = style === 'null' ? 'null' : JSON_IMAGE;
    return `pg_catalog.jsonb_set(${value}, ${keys(path)}, ${quote(image)}::pg_catalog.jsonb, false)`;
  }, reference);
  const plain = `pg_catalog.jsonb_typeof(${reference}) OPERATOR(pg_catalog.=) 'object'`;
  return `CASE WHEN ${plain} AND NOT COALESCE(${arrays.join(' OR ')}, false) THEN ${covered} ELSE '"[redacted]"'::pg_catalog.jsonb END`;
}

function typeAt(reference: string, path: readonly string[]): string {
  return `COALESCE(pg_catalog.jsonb_typeof(${reference} OPERATOR(pg_catalog.#>) ${keys(path)}), '')`;
}

function keys(path: readonly string[]): string {
  return path.length === 0 ? "'{}'::pg_catalog.text[]" : `ARRAY[${path.map(quote).join(', ')}]::pg_catalog.text[]`;
}
