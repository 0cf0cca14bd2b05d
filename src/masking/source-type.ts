import { elementOf, FIRST_USER_OID, type ResultField } from './types.ts';

/** A column as a statement refers to it. */
export interface MaskedColumn {
  /** SQL, ready to use: `"c"."email"`. */
  readonly reference: string;
  /** OID. */
  readonly type: number;
  /** As format_type spells it, schema-qualified and with its modifier. Absent: not known. */
  readonly typeName?: string;
  /** What a domain is over; absent where `type` is no domain. */
  readonly base?: { readonly type: number; readonly typeName: string };
}

/** The type of a mask's value. */
export interface SourceType {
  /** The field that the wire would show for it. */
  readonly field: ResultField;
  /** How to cast to it whatever the search_path; undefined: not known. */
  readonly name: string | undefined;
}

// pg_type.dat. Under these names no schema in front of pg_catalog can hide them.
const NAMES: ReadonlyMap<number, string> = new Map([
  [16, 'bool'],
  [17, 'bytea'],
  [18, '"char"'],
  [19, 'name'],
  [20, 'int8'],
  [21, 'int2'],
  [23, 'int4'],
  [25, 'text'],
  [26, 'oid'],
  [114, 'json'],
  [142, 'xml'],
  [650, 'cidr'],
  [700, 'float4'],
  [701, 'float8'],
  [829, 'macaddr'],
  [869, 'inet'],
  [1042, 'bpchar'],
  [1043, 'varchar'],
  [1082, 'date'],
  [1083, 'time'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1186, 'interval'],
  [1266, 'timetz'],
  [1560, 'bit'],
  [1562, 'varbit'],
  [1700, 'numeric'],
  [2950, 'uuid'],
  [3802, 'jsonb'],
]);

/** A modifier as format_type writes it, for the types whose masks must heed it. */
const MODIFIER = /\((\d{1,9})(?:,(-?\d{1,4}))?\)/;
const CHARACTERS = new Set([1042, 1043]);
const BITS = new Set([1560, 1562]);
const NUMERIC = 1700;
const XML = 142;

export function sourceType(column: MaskedColumn): SourceType {
  const { type, typeName } = column.base ?? column;
  const own = NAMES.get(type);
  const field: ResultField = { table: 0, attribute: 0, type, modifier: -1, format: 0 };
  if (own === undefined) return { field, name: otherName(type, typeName) };
  const [, first, second] = MODIFIER.exec(typeName ?? '') ?? [];
  const name = `pg_catalog.${own}`;
  if (first === undefined) return { field, name };
  if (CHARACTERS.has(type)) return { field: { ...field, modifier: Number(first) + 4 }, name: `${name}(${first})` };
  if (BITS.has(type)) return { field: { ...field, modifier: Number(first) }, name: `${name}(${first})` };
  if (type !== NUMERIC) return { field, name };
  const scale = Number(second ?? 0);
  const modifier = ((Number(first) << 16) | (scale & 0x7ff)) + 4; // make_numeric_typmod
  return { field: { ...field, modifier }, name: `${name}(${first},${scale})` };
}

/** The name of an array, of a built-in type that is one word, or of a type that has its schema in front. */
function otherName(type: number, typeName: string | undefined): string | undefined {
  const element = NAMES.get(elementOf(type));
  if (element !== undefined) return `pg_catalog.${element}[]`;
  const plain = type < FIRST_USER_OID && typeName !== undefined && /^[a-z]\w*(\[\])?$/.test(typeName);
  return plain ? `pg_catalog.${typeName}` : typeName;
}

/** A value of the type by its text. */
export function literal({ field, name }: SourceType, text: string): string {
  if (field.type === XML) return `XMLPARSE(CONTENT ${quote(text)})`; // a cast would heed xmloption
  return name === undefined ? quote(text) : `${quote(text)}::${name}`;
}

export function cast({ name }: SourceType, expression: string): string {
  return name === undefined ? expression : `(${expression})::${name}`;
}

export function nullOf({ name }: SourceType): string {
  return name === undefined ? 'NULL' : `NULL::${name}`;
}

/** A string literal, whatever standard_conforming_strings says. */
export function quote(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return quoted.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
