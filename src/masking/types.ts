import { isFixed } from './fixed.ts';

/** What masking needs to know about a type: how its values are spelled. `unknown` types are only ever masked as NULL. */
export type Kind =
  | 'text'
  | 'char'
  | 'name'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'oid'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'bool'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'inet'
  | 'cidr'
  | 'json'
  | 'jsonb'
  | 'xml'
  | 'bytea'
  | 'array'
  | 'fixed'
  | 'unknown';

/** One field of a result, as RowDescription (and, for the format, Bind) says it. */
export interface ResultField {
  /** OID and attribute number where the value comes straight from a column, else 0. */
  readonly table: number;
  readonly attribute: number;
  /** OID. */
  readonly type: number;
  /** The type's modifier; absent or -1: none. */
  readonly modifier?: number;
  readonly format: 0 | 1;
}

// pg_type.dat. These OIDs never change.
const KINDS: ReadonlyMap<number, Kind> = new Map([
  [16, 'bool'],
  [17, 'bytea'],
  [18, 'char'], // one byte
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
  [705, 'text'], // unknown: a literal without a type
  [869, 'inet'],
  [1042, 'text'], // char(n): padded with spaces that do not count
  [1043, 'text'],
  [1082, 'date'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1700, 'numeric'],
  [1790, 'text'], // refcursor
  [2275, 'text'], // cstring
  [2950, 'uuid'],
  [3802, 'jsonb'],
]);

/** Array type to the type of its elements. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [143, 142],
  [629, 628],
  [719, 718],
  [775, 774],
  [791, 790],
  [199, 114],
  [651, 650],
  [1000, 16],
  [1001, 17],
  [1002, 18],
  [1003, 19],
  [1005, 21],
  [1007, 23],
  [1009, 25],
  [1010, 27],
  [1011, 28],
  [1012, 29],
  [1014, 1042],
  [1015, 1043],
  [1016, 20],
  [1017, 600],
  [1018, 601],
  [1019, 602],
  [1020, 603],
  [1021, 700],
  [1022, 701],
  [1027, 604],
  [1028, 26],
  [1040, 829],
  [1041, 869],
  [1115, 1114],
  [1182, 1082],
  [1183, 1083],
  [1185, 1184],
  [1187, 1186],
  [1231, 1700],
  [1263, 2275],
  [1270, 1266],
  [1561, 1560],
  [1563, 1562],
  [2201, 1790],
  [2951, 2950],
  [3221, 3220],
  [3643, 3614],
  [3645, 3615],
  [3807, 3802],
  [3905, 3904],
  [3907, 3906],
  [3909, 3908],
  [3911, 3910],
  [3913, 3912],
  [3927, 3926],
  [4073, 4072],
  [6150, 4451],
  [6151, 4532],
  [6152, 4533],
  [6153, 4534],
  [6155, 4535],
  [6157, 4536],
  [271, 5069],
]);

/** The first OID that initdb or a user may hand out: user types, extension types. */
export const FIRST_USER_OID = 16384;

export function kindOf(type: number): Kind {
  const kind = KINDS.get(type);
  if (kind !== undefined) return kind;
  if (ELEMENTS.has(type)) return 'array';
  return isFixed(type) ? 'fixed' : 'unknown';
}

export function elementOf(arrayType: number): number {
  return ELEMENTS.get(arrayType) ?? 0;
}

/** How a detector reads the cells of a field; undefined: it does not. Numbers and dates are never scanned. */
export type ScanAs = 'text' | 'json' | 'json-array' | 'jsonb-binary' | 'array-binary';

const RECORD = 2249;
const RECORD_ARRAY = 2287;

export function scanAs(field: ResultField): ScanAs | undefined {
  const element = ELEMENTS.get(field.type);
  const kind = element === undefined ? kindOf(field.type) : kindOf(element);
  const textual = kind === 'text' || kind === 'char' || kind === 'name' || kind === 'xml';
  if (element !== undefined) {
    if (!textual && kind !== 'json' && kind !== 'jsonb') return undefined;
    if (field.format === 1) return 'array-binary';
    return textual ? 'text' : 'json-array';
  }
  if (textual) return 'text';
  if (kind === 'json') return 'json';
  if (kind === 'jsonb') return field.format === 1 ? 'jsonb-binary' : 'json';
  if (field.format === 1) return undefined;
  // Composites, domains over text, citext, enums: in text format they are text.
  return field.type >= FIRST_USER_OID || field.type === RECORD || field.type === RECORD_ARRAY ? 'text' : undefined;
}

/** Most characters a value may have; undefined: no limit of its own. */
export function mostCharacters({ type, modifier = -1 }: ResultField): number | undefined {
  // VARHDRSZ is part of the modifier of char(n) and varchar(n).
  if ((type === 1042 || type === 1043) && modifier >= 4) return modifier - 4;
  return undefined;
}
