import { type MaskObligation, strictestFirst } from '../core/obligation.ts';
import { jsonImage } from './expression-json.ts';
import { type MaskedColumn, quote, type SourceType, sourceType } from './source-type.ts';
import { redactedText, spelledText } from './spell.ts';
import { kindOf } from './types.ts';

/** What a mask does to a column; a MaskObligation says it. */
export type SourceMask = Pick<MaskObligation, 'label' | 'style' | 'constant' | 'path'>;

/**
 * SQL that computes the mask of a column on the server, for use where the column stood: the same image as the mask
 * on the wire makes of the same value, or the redacted value, which says less. It has the column's type (a domain's
 * base type, so that no check can fail), NULL stays NULL, no value makes it raise, and nothing in it depends on
 * search_path or other settings. Keyed hashes become the redacted value: the key would stand in the text, where servers
 * log it and show it to others. Without masks it is the column.
 */
export function maskExpression(column: MaskedColumn, masks: readonly SourceMask[]): string {
  const type = sourceType(column);
  const whole = masks.filter(({ path }) => path === undefined).toSorted(strictestFirst);
  const [mask] = whole;
  if (masks.length === 0) return column.reference;
  if (mask === undefined) return withoutNull(column, type, jsonImage(column.reference, type.field, masks));
  return withoutNull(column, type, imageOf(column, type, mask));
}

/** SQL for the image of a value that is not NULL; undefined: the redacted value. */
function imageOf(column: MaskedColumn, type: SourceType, { style, constant }: SourceMask): string | undefined {
  switch (style) {
    case 'null':
      return 'NULL';
    case 'constant': {
      const text = spelledText(type.field, constant ?? '');
      return text === undefined ? 'NULL' : quote(text);
    }
    case 'email':
      return isText(type) ? email(text(column), type) : undefined;
    case 'partial':
      return isText(type) ? partial(text(column)) : undefined;
    case 'date':
      return year(column.reference, type);
    case 'redact':
    case 'hash':
      return undefined;
  }
}

function withoutNull({ reference }: MaskedColumn, type: SourceType, image: string | undefined): string {
  const redacted = redactedValue(type);
  const value = image ?? redacted;
  const name = type.name === undefined ? '' : `::${type.name}`;
  if (value === 'NULL') return `NULL${name}`;
  return `(CASE WHEN ${reference} IS NULL THEN NULL ELSE ${value} END)${name}`;
}

function redactedValue({ field }: SourceType): string {
  const text = redactedText(field);
  return text === undefined ? 'NULL' : quote(text);
}

const CITEXT = /(^|\.)citext$/;

function isText({ field, name }: SourceType): boolean {
  return kindOf(field.type) === 'text' || CITEXT.test(name ?? '');
}

/** Collation C compares bytes, and works with functions that other collations do not. */
function text({ reference }: MaskedColumn): string {
  return `(${reference}::pg_catalog.text COLLATE pg_catalog."C")`;
}

/** What a domain is made of, as in texts.ts: letters, digits, `-`, `.` and whatever is not ASCII. */
const ADDRESS = quote('^.+@[^\\x01-\\x2c\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]+$');

function email(value: string, type: SourceType): string {
  const domain = `pg_catalog.strpos(pg_catalog.reverse(${value}), '@')`;
  const shown = `CASE WHEN pg_catalog.length(${value}) OPERATOR(pg_catalog.-) ${domain} OPERATOR(pg_catalog.>) 1 THEN pg_catalog.left(${value}, 1) ELSE '' END`;
  const image = `pg_catalog.concat(${shown}, '***', pg_catalog.right(${value}, ${domain}))`;
  const limits = [
    `${value} OPERATOR(pg_catalog.~) ${ADDRESS}`,
    `pg_catalog.octet_length(pg_catalog.right(${value}, ${domain})) OPERATOR(pg_catalog.<=) 254`,
  ];
  const most = (type.field.modifier ?? -1) - 4;
  if (most >= 0) limits.push(`pg_catalog.length(${image}) OPERATOR(pg_catalog.<=) ${most}`);
  return `CASE WHEN ${limits.join(' AND ')} THEN ${image} ELSE ${redactedValue(type)} END`;
}

function partial(value: string): string {
  const length = `pg_catalog.length(${value})`;
  const shown = `GREATEST(0, LEAST(4, ${length} OPERATOR(pg_catalog./) 2 OPERATOR(pg_catalog.-) 1))`;
  return `pg_catalog.concat(pg_catalog.repeat('*', ${length} OPERATOR(pg_catalog.-) ${shown}), pg_catalog.right(${value}, ${shown}))`;
}

/** The first of January of the same year, by UTC. What has no year in 1 to 9999 is redacted. */
function year(reference: string, type: SourceType): string | undefined {
  const first = FIRST_DAY[type.field.type];
  if (first === undefined) return undefined;
  const between = ['>=', '<=']
    .map(
      (side, end) =>
        `${reference} OPERATOR(pg_catalog.${side}) ${quote(`${END[end]}${type.field.type === 1184 ? '+00' : ''}`)}::${type.name}`,
    )
    .join(' AND ');
  return `CASE WHEN ${between} THEN ${first(reference)} ELSE ${redactedValue(type)}::${type.name} END`;
}

const END = ['0001-01-01 00:00:00', '9999-12-31 00:00:00'];

// pg_type.dat: date, timestamp, timestamptz.
const FIRST_DAY: Readonly<Record<number, (reference: string) => string>> = {
  1082: (day) => `pg_catalog.make_date(pg_catalog.date_part('year', ${day})::pg_catalog.int4, 1, 1)`,
  1114: (moment) => `pg_catalog.date_trunc('year', ${moment})`,
  1184: (moment) => `pg_catalog.timezone('UTC', pg_catalog.date_trunc('year', pg_catalog.timezone('UTC', ${moment})))`,
};
