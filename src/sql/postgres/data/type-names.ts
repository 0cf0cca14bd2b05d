/** Types of pg_catalog that can be written as a call with one argument and are not in pg_proc under that name. */
export const TYPE_NAMES: ReadonlySet<string> = new Set(
  `bytea circle daterange datemultirange inet int4multirange int8multirange json jsonb jsonpath nummultirange
  refcursor regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype
  tid tsmultirange tsquery tstzmultirange tsvector txid_snapshot uuid varbit line cstring`.split(/\s+/),
);
