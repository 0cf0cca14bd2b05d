import { type Mask, strictestFirst } from '../core/obligation.ts';
import { jsonImage } from './expression-json.ts';
import { cast, literal, type MaskedColumn, nullOf, quote, type SourceType, sourceType } from './source-type.ts';
import { redactedText, spelledText } from './spell.ts';
import { kindOf } from './types.ts';

/**
 * SQL that computes the mask of a column on the server, for use where the column stood: the same image as the mask
 * on the wire makes of the same value, or the redacted value, which says less. It has the column's type (a domain's
 * base type, so that no check can fail) and its collation, NULL stays NULL, no value makes it raise, and nothing in it
 * depends on search_path or other settings. Keyed hashes become the redacted value: the key would stand in the text, where servers
 * log it and show it to others. Without masks it is NULL.
 */
export function maskExpression(column: MaskedColumn, masks: readonly Mask[]): string {
  const type = sourceType(column);
  const whole = masks.filter(({ path }) => path === undefined).toSorted(strictestFirst);
  const [mask] = whole;
  if (masks.length === 0) return nullOf(type);
  if (mask === undefined) return withoutNull(column, type, jsonImage(column.reference, type.field, masks));
  return withoutNull(column, type, imageOf(column, type, mask));
}

/** SQL for the image of a value that is not NULL; undefined: the redacted value. */
function imageOf(column: MaskedColumn, type: SourceType, { style, constant }: Mask): string | undefined {
  switch (style) {
    case 'null':
      return 'NULL';
    case 'constant': {
      const text = spelledText(type.field, constant ?? '');
      return text === undefined ? 'NULL' : literal(type, text);
    }
    case 'email':
      return isText(type) ? cast(type, email(text(column), type)) : undefined;
    case 'partial':
      return isText(type) ? cast(type, partial(text(column))) : undefined;
    case 'date':
      return year(column.reference, type);
    case 'redact':
    case 'hash':
      return undefined;
  }
}

/** Both branches are cast, so that the modifier of the type stays. */
function withoutNull({ reference }: MaskedColumn, type: SourceType, image: string | undefined): string {
  const value = image ?? redactedValue(type);
  const nothing = nullOf(type);
  return value === 'NULL' ? nothing : `(CASE WHEN ${reference} IS NULL THEN ${nothing} ELSE ${value} END)`;
}

function redactedValue(type: SourceType): string {
  if (type.field.type === MONEY) return literal(type, '0'); // how a currency is written depends on lc_monetary
  const text = redactedText(type.field);
  return text === undefined ? 'NULL' : literal(type, text);
}

const CITEXT = /(^|\.)citext$/;

function isText({ field, name }: SourceType): boolean {
  return kindOf(field.type) === 'text' || CITEXT.test(name ?? '');
}

function text({ reference }: MaskedColumn): string {
  return `${reference}::pg_catalog.text`;
}

/** What a domain is made of, as in texts.ts: letters, digits, `-`, `.` and whatever is not ASCII. */
const DOMAIN = quote('^@[^\\x01-\\x2c\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]+$');
/** RFC 1035, and the @. */
const LONGEST = 254;

/**
 * Collation C compares bytes and works with functions that other collations do not; it stands only where it cannot
 * become the collation of the result. Only a tail that is short enough is looked at closely.
 */
function email(value: string, type: SourceType): string {
  const behind = `pg_catalog.strpos(pg_catalog.reverse(${value}) COLLATE pg_catalog."C", '@')`;
  const length = `pg_catalog.length(${value})`;
  const domain = `pg_catalog.right(${value}, ${behind})`;
  const shown = `CASE WHEN ${length} OPERATOR(pg_catalog.-) ${behind} OPERATOR(pg_catalog.>) 1 THEN pg_catalog.left(${value}, 1) ELSE '' END`;
  const image = `pg_catalog.concat(${shown}, '***', ${domain})`;
  const limits = [
    `pg_catalog.octet_length(${domain}) OPERATOR(pg_catalog.<=) ${LONGEST}`,
    `(${domain} COLLATE pg_catalog."C") OPERATOR(pg_catalog.~) ${DOMAIN}`,
  ];
  const most = (type.field.modifier ?? -1) - 4;
  if (most >= 0) limits.push(`pg_catalog.length(${image}) OPERATOR(pg_catalog.<=) ${most}`);
  const redacted = redactedText(type.field);
  const otherwise = redacted === undefined ? 'NULL' : quote(redacted);
  const far = [
    `${behind} OPERATOR(pg_catalog.<) 2`,
    `${behind} OPERATOR(pg_catalog.>) ${LONGEST}`,
    `${behind} OPERATOR(pg_catalog.>=) ${length}`,
  ];
  return `CASE WHEN ${far.join(' OR ')} THEN ${otherwise} WHEN ${limits.join(' AND ')} THEN ${image} ELSE ${otherwise} END`;
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
  const zone = type.field.type === TIMESTAMPTZ ? '+00' : '';
  const from = `${reference} OPERATOR(pg_catalog.>=) ${literal(type, `0001-01-01 00:00:00${zone}`)}`;
  const to = `${reference} OPERATOR(pg_catalog.<) ${literal(type, `10000-01-01 00:00:00${zone}`)}`;
  return `CASE WHEN ${from} AND ${to} THEN ${cast(type, first(reference))} ELSE ${redactedValue(type)} END`;
}

// pg_type.dat.
const MONEY = 790;
const TIMESTAMPTZ = 1184;
const FIRST_DAY: Readonly<Record<number, (reference: string) => string>> = {
  1082: (day) => `pg_catalog.make_date(pg_catalog.date_part('year', ${day})::pg_catalog.int4, 1, 1)`,
  1114: (moment) => `pg_catalog.date_trunc('year', ${moment})`,
  [TIMESTAMPTZ]: (moment) =>
    `pg_catalog.timezone('UTC', pg_catalog.date_trunc('year', pg_catalog.timezone('UTC', ${moment})))`,
};
