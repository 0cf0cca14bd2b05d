/** What is asked of a database's catalog. Every name is qualified, so that no search path can answer instead. */

/** FirstNormalObjectId: objects below it are the server's own. */
const USER = '16384';

/** Moves whenever anything a statement could name changes; cheap enough to ask every few seconds. */
export const FINGERPRINT: string = `
  select pg_catalog.md5(pg_catalog.concat_ws('|',
    (select pg_catalog.string_agg(c.oid::text || ':' || c.xmin::text, ',' order by c.oid) from pg_catalog.pg_class c where c.oid >= ${USER}),
    (select pg_catalog.string_agg(a.attrelid::text || ':' || a.attnum::text || ':' || a.xmin::text, ',' order by a.attrelid, a.attnum)
       from pg_catalog.pg_attribute a where a.attrelid >= ${USER} and a.attnum > 0),
    (select pg_catalog.string_agg(n.oid::text || ':' || n.xmin::text, ',' order by n.oid) from pg_catalog.pg_namespace n
      where n.nspname !~ '^pg_(toast_)?temp_'),
    (select pg_catalog.string_agg(p.oid::text || ':' || p.xmin::text, ',' order by p.oid) from pg_catalog.pg_proc p where p.oid >= ${USER}),
    (select pg_catalog.string_agg(r.oid::text || ':' || r.xmin::text, ',' order by r.oid) from pg_catalog.pg_rewrite r where r.oid >= ${USER}),
    (select pg_catalog.string_agg(i.inhrelid::text || ':' || i.inhparent::text, ',' order by i.inhrelid, i.inhseqno) from pg_catalog.pg_inherits i),
    (select pg_catalog.count(*)::text from pg_catalog.pg_trigger t where not t.tgisinternal))) as fingerprint,
    pg_catalog.current_setting('server_version_num')::int8 / 10000 as major`;

export const SCHEMAS = `select n.nspname as name from pg_catalog.pg_namespace n where n.nspname !~ '^pg_(toast_)?temp_' order by 1`;

/** Relations anybody can name, without those of other sessions' temporary schemas. */
export const RELATIONS = `
  select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
    (exists (select from pg_catalog.pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN')
      or exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)) as active,
    (select pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, a.attnum, a.atttypid::int8) order by a.attnum)
       from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v', 'm', 'p', 'f', 'S', 'c', 'i', 'I') and n.nspname !~ '^pg_(toast_)?temp_'
  order by c.oid`;

export const FUNCTIONS = `
  select p.oid::int8 as oid, n.nspname as schema, p.proname as name
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname <> 'pg_catalog' and n.nspname !~ '^pg_(toast_)?temp_' order by p.oid`;

/** Children and parents: what is read through one is stored in the other. */
export const INHERITANCE = `select i.inhrelid::int8 as child, i.inhparent::int8 as parent from pg_catalog.pg_inherits i`;

/**
 * Which columns the rules of views and materialized views use. A whole row (varattno 0) leaves no dependency of its own,
 * so it is looked for in the stored tree; then every column of every relation used counts.
 */
export const VIEW_COLUMNS: string = `
  select distinct r.ev_class::int8 as view, d.refobjid::int8 as relation, d.refobjsubid as attribute,
    (r.ev_action::text ~ ':varattno 0 ') as whole_row
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> r.ev_class
  where r.rulename = '_RETURN' and r.ev_class >= ${USER}`;

/** Views that call functions whose bodies may read tables: what those give cannot be traced to a column. */
export const OPAQUE_VIEWS: string = `
  select distinct r.ev_class::int8 as view
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid >= ${USER}
  join pg_catalog.pg_proc p on p.oid = d.refobjid
  join pg_catalog.pg_language l on l.oid = p.prolang
  where r.rulename = '_RETURN' and l.lanname not in ('c', 'internal')`;

/** Columns that generated columns are computed from. */
export const GENERATED = `
  select ad.adrelid::int8 as relation, ad.adnum as attribute, d.refobjsubid as source
  from pg_catalog.pg_attrdef ad
  join pg_catalog.pg_attribute a on a.attrelid = ad.adrelid and a.attnum = ad.adnum and a.attgenerated <> ''
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and d.objid = ad.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = ad.adrelid and d.refobjsubid > 0
    and d.refobjsubid <> ad.adnum`;
