/** Types of which a mask only ever spells one value, the redacted one: as text, and as bytes in hexadecimal. */
export interface Fixed {
  readonly text: string;
  readonly binary: string;
}

const zeros = (bytes: number): string => '00'.repeat(bytes);
const ONE = '3ff0000000000000';
const EMPTY_RANGE: Fixed = { text: 'empty', binary: '01' }; // RANGE_EMPTY
const EMPTY_MULTIRANGE: Fixed = { text: '{}', binary: zeros(4) };
const NUMBER: Fixed = { text: '0', binary: zeros(4) };
const LONG_NUMBER: Fixed = { text: '0', binary: zeros(8) };
const EMPTY: Fixed = { text: '', binary: zeros(4) };

// pg_type.dat and the functions in its typsend.
const FIXED: ReadonlyMap<number, Fixed> = new Map([
  [27, { text: '(0,0)', binary: zeros(6) }], // tid
  [28, NUMBER], // xid
  [29, NUMBER], // cid
  [600, { text: '(0,0)', binary: zeros(16) }], // point
  [601, { text: '[(0,0),(0,0)]', binary: zeros(32) }], // lseg
  [602, { text: '((0,0))', binary: `01${zeros(3)}01${zeros(16)}` }], // path: closed, one point
  [603, { text: '(0,0),(0,0)', binary: zeros(32) }], // box
  [604, { text: '((0,0))', binary: `${zeros(3)}01${zeros(16)}` }], // polygon: one point
  [628, { text: '{1,0,0}', binary: `${ONE}${zeros(16)}` }], // line: A and B must not both be 0
  [718, { text: '<(0,0),0>', binary: zeros(24) }], // circle
  [774, { text: '00:00:00:00:00:00:00:00', binary: zeros(8) }], // macaddr8
  [790, { text: '$0.00', binary: zeros(8) }], // money
  [829, { text: '00:00:00:00:00:00', binary: zeros(6) }], // macaddr
  [1083, { text: '00:00:00', binary: zeros(8) }], // time
  [1186, { text: '00:00:00', binary: zeros(16) }], // interval
  [1266, { text: '00:00:00+00', binary: zeros(12) }], // timetz
  [1562, EMPTY], // varbit
  [3220, { text: '0/0', binary: zeros(8) }], // pg_lsn
  [3614, EMPTY], // tsvector
  [3904, EMPTY_RANGE], // int4range
  [3906, EMPTY_RANGE], // numrange
  [3908, EMPTY_RANGE], // tsrange
  [3910, EMPTY_RANGE], // tstzrange
  [3912, EMPTY_RANGE], // daterange
  [3926, EMPTY_RANGE], // int8range
  [4072, { text: '$', binary: '0124' }], // jsonpath: version 1
  [4451, EMPTY_MULTIRANGE], // int4multirange
  [4532, EMPTY_MULTIRANGE], // nummultirange
  [4533, EMPTY_MULTIRANGE], // tsmultirange
  [4534, EMPTY_MULTIRANGE], // tstzmultirange
  [4535, EMPTY_MULTIRANGE], // datemultirange
  [4536, EMPTY_MULTIRANGE], // int8multirange
  [5069, LONG_NUMBER], // xid8
]);

const BIT = 1560;

/** Longer ones are masked as NULL. */
const MOST_BITS = 65_536;

/** bit(n) without a modifier comes from an expression; one bit is a value of it too. */
export function fixedOf(type: number, modifier = -1): Fixed | undefined {
  if (type !== BIT) return FIXED.get(type);
  const bits = modifier > 0 ? modifier : 1;
  if (bits > MOST_BITS) return undefined;
  return { text: '0'.repeat(bits), binary: bits.toString(16).padStart(8, '0') + zeros(Math.ceil(bits / 8)) };
}

export function isFixed(type: number): boolean {
  return type === BIT || FIXED.has(type);
}
