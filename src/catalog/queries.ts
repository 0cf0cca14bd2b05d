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
    (select pg_catalog.string_agg(t.oid::text || ':' || t.xmin::text, ',' order by t.oid) from pg_catalog.pg_trigger t where not t.tgisinternal),
    (select pg_catalog.string_agg(k.oid::text || ':' || k.xmin::text, ',' order by k.oid) from pg_catalog.pg_constraint k where k.oid >= ${USER}),
    (select pg_catalog.string_agg(i.indexrelid::text || ':' || i.xmin::text, ',' order by i.indexrelid)
       from pg_catalog.pg_index i where i.indexrelid >= ${USER} and i.indisunique),
    (select pg_catalog.string_agg(d.oid::text || ':' || d.xmin::text, ',' order by d.oid) from pg_catalog.pg_attrdef d where d.oid >= ${USER}),
    (select pg_catalog.string_agg(y.oid::text || ':' || y.xmin::text, ',' order by y.oid) from pg_catalog.pg_type y
      where y.oid >= ${USER} and y.typtype <> 'c' and not (y.typtype = 'b' and y.typelem <> 0)))) as fingerprint,
    pg_catalog.current_setting('server_version_num')::int8 / 10000 as major`;

export const SCHEMAS = `select n.nspname as name from pg_catalog.pg_namespace n where n.nspname !~ '^pg_(toast_)?temp_' order by 1`;

const SHOWN = `c.relkind in ('r', 'v', 'm', 'p', 'f', 'S', 'c', 'i', 'I')
  and c.relnamespace not in (select n.oid from pg_catalog.pg_namespace n where n.nspname ~ '^pg_(toast_)?temp_')`;

/** Relations anybody can name, without those of other sessions' temporary schemas. */
export const RELATIONS: string = `
  with columns as (
    select a.attrelid, pg_catalog.json_agg(pg_catalog.json_build_array(
        a.attname, a.attnum, a.atttypid::int8, a.atttypmod, a.attgenerated <> '') order by a.attnum) as list
    from pg_catalog.pg_attribute a where a.attnum > 0 and not a.attisdropped group by a.attrelid)
  select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
    (c.relhasrules and exists (select from pg_catalog.pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN')
      or c.relhastriggers and exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)) as active,
    columns.list as columns
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join columns on columns.attrelid = c.oid
  where ${SHOWN} order by c.oid`;

/** Every type a column has, with its modifier; for domains what they are over in the end, whose modifier is the last one's. */
export const TYPES: string = `
  with recursive used as (
    select distinct a.atttypid as type, a.atttypmod as modifier from pg_catalog.pg_attribute a
    where a.attnum > 0 and not a.attisdropped),
  domains as (
    select y.oid as domain, y.typbasetype as type, y.typtypmod as modifier from pg_catalog.pg_type y where y.typtype = 'd'
    union all
    select d.domain, y.typbasetype, y.typtypmod from domains d join pg_catalog.pg_type y on y.oid = d.type and y.typtype = 'd')
  select u.type::int8 as type, u.modifier, pg_catalog.format_type(u.type, u.modifier) as name,
    b.type::int8 as base, pg_catalog.format_type(b.type, b.modifier) as base_name
  from used u left join (domains b join pg_catalog.pg_type y on y.oid = b.type and y.typtype <> 'd') on b.domain = u.type`;

/** Checks and foreign keys. Attribute 0 stands for the whole row. */
export const CONSTRAINTS: string = `
  select k.conrelid::int8 as relation, k.contype::text as type, pg_catalog.to_json(k.conkey) as columns,
    k.confrelid::int8 as other, pg_catalog.to_json(k.confkey) as other_columns
  from pg_catalog.pg_constraint k where k.contype in ('c', 'f') and k.conrelid <> 0 order by k.conrelid, k.oid`;

/**
 * Indexes that keep rows from being written: unique ones, whatever made them, and those of exclusion constraints. What
 * their expressions and predicates use is among their dependencies; a whole row there leaves none, so it is looked for.
 */
export const GUARDS: string = `
  select i.indrelid::int8 as relation, k.contype::text as type, k.condeferrable as deferrable,
    (select pg_catalog.json_agg(i.indkey[n]) from pg_catalog.generate_series(0, i.indnkeyatts - 1) n) as columns,
    case when i.indexprs is not null or i.indpred is not null then
      (select pg_catalog.json_agg(distinct d.refobjsubid) from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = i.indexrelid
          and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = i.indrelid and d.refobjsubid > 0)
    end as used,
    pg_catalog.concat(i.indexprs::text, i.indpred::text) ~ ':varattno 0 ' as whole_row
  from pg_catalog.pg_index i
  left join pg_catalog.pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x') and k.conrelid = i.indrelid
  where i.indisunique or i.indisexclusion or k.contype = 'x' order by i.indrelid, i.indexrelid`;

export const FUNCTIONS = `
  select p.oid::int8 as oid, n.nspname as schema, p.proname as name, l.lanname as language,
    p.provolatile::text as volatility, p.prosecdef as definer
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_language l on l.oid = p.prolang
  where n.nspname <> 'pg_catalog' and n.nspname !~ '^pg_(toast_)?temp_' order by p.oid`;

/** Children and parents: what is read through one is stored in the other. */
export const INHERITANCE = `select i.inhrelid::int8 as child, i.inhparent::int8 as parent from pg_catalog.pg_inherits i`;

/**
 * Which columns the rules of views and materialized views use. A whole row (varattno 0) leaves no dependency of its own,
 * so it is looked for in the stored tree; then every column of every relation used counts. `rule` is another whenever the
 * view is defined anew.
 */
export const VIEW_COLUMNS: string = `
  with rules as materialized (
    select r.oid, r.oid::text || ':' || r.xmin::text as rule, r.ev_class, r.ev_action::text ~ ':varattno 0 ' as whole_row
    from pg_catalog.pg_rewrite r where r.rulename = '_RETURN' and r.ev_class >= ${USER})
  select distinct r.ev_class::int8 as view, d.refobjid::int8 as relation, d.refobjsubid as attribute, r.rule, r.whole_row
  from rules r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> r.ev_class`;

/** A server's own functions that read whatever they are told to, and its own relations that show values of others. */
const READERS = `p.proname ~ '^((query|table|schema|database|cursor)_to_xml|ts_(stat|rewrite)$|pg_(read|ls)_|lo(read|_get)$|pg_stat_get_activity$)'`;
const SHOWING = `c.relname in ('pg_statistic', 'pg_stats', 'pg_statistic_ext_data', 'pg_stats_ext', 'pg_stats_ext_exprs', 'pg_largeobject')`;

/**
 * Views whose values cannot be traced to columns, for they call what may read anything: functions with bodies, also
 * through operators and aggregates; set-returning ones in C that take a query as text (dblink, crosstab); readers of
 * the server's own, which leave no dependency and are looked for in the stored tree.
 */
export const OPAQUE_VIEWS: string = `
  with suspects as materialized (
    select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
    where p.oid >= ${USER} and (l.lanname not in ('c', 'internal')
      or (l.lanname = 'c' and p.proretset and p.provolatile <> 'i' and 25 = any(p.proargtypes)))),
  called as (
    select 'pg_catalog.pg_proc'::pg_catalog.regclass as class, s.oid from suspects s
    union select 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid
      from pg_catalog.pg_operator o join suspects s on s.oid = o.oprcode
    union select 'pg_catalog.pg_proc'::pg_catalog.regclass, g.aggfnoid
      from pg_catalog.pg_aggregate g join suspects s on s.oid in
        (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggmtransfn, g.aggmfinalfn)),
  pattern as materialized (
    select '(:relid (' || (select pg_catalog.string_agg(c.oid::text, '|') from pg_catalog.pg_class c
        where c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace and ${SHOWING})
      || ') )|(:funcid (' || (select pg_catalog.string_agg(p.oid::text, '|') from pg_catalog.pg_proc p
        where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace and ${READERS}) || ') )' as readers)
  select distinct r.ev_class::int8 as view
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
  join called c on c.class = d.refclassid and c.oid = d.refobjid
  where r.rulename = '_RETURN' and r.ev_class >= ${USER}
  union
  select r.ev_class::int8 from pg_catalog.pg_rewrite r, pattern
  where r.rulename = '_RETURN' and r.ev_class >= ${USER} and r.ev_action::text ~ pattern.readers`;

/** Relations that somebody has for himself or waits to have: looking at them means to wait. */
export const LOCKED: string = `
  select distinct l.relation::int8 as relation from pg_catalog.pg_locks l
  where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())`;

/** pg_get_viewdef spells names as the search path needs them, which is empty here: all of them qualified. */
export function definitionsOf(views: readonly number[]): string {
  return `select c.oid::int8 as view, pg_catalog.pg_get_viewdef(c.oid) as definition
    from pg_catalog.pg_class c where c.oid = any ('{${views.join(',')}}'::oid[]) order by c.oid`;
}

/** Columns that generated columns are computed from. */
export const GENERATED = `
  select ad.adrelid::int8 as relation, ad.adnum as attribute, d.refobjsubid as source
  from pg_catalog.pg_attrdef ad
  join pg_catalog.pg_attribute a on a.attrelid = ad.adrelid and a.attnum = ad.adnum and a.attgenerated <> ''
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and d.objid = ad.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = ad.adrelid and d.refobjsubid > 0
    and d.refobjsubid <> ad.adnum`;
