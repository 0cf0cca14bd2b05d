import type { Session } from './session.ts';

/** Catalogs of which objects made after initdb count. */
const OBJECTS = [
  'class',
  'proc',
  'type',
  'enum',
  'am',
  'constraint',
  'trigger',
  'rewrite',
  'operator',
  'cast',
  'extension',
  'foreign_server',
  'user_mapping',
  'publication',
  'subscription',
  'event_trigger',
  'policy',
  'statistic_ext',
  'collation',
  'language',
  'attrdef',
  'largeobject_metadata',
  'conversion',
  'ts_config',
  'ts_dict',
  'opclass',
  'authid',
  'database',
  'tablespace',
];
/** And those of which every row does. */
const WHOLE = [
  'description',
  'seclabel',
  'shdescription',
  'default_acl',
  'db_role_setting',
  'auth_members',
  'aggregate',
  'largeobject',
  'parameter_acl',
];

const hash = (rows: string) =>
  `(select pg_catalog.md5(coalesce(pg_catalog.string_agg(r::text, ',' order by r::text collate "C"), '')) from (${rows}) r)`;

const objects = OBJECTS.map(
  (name) => `select '${name}', ${hash(`select * from pg_catalog.pg_${name} where oid >= 16384`)}`,
);
const whole = WHOLE.map((name) => `select '${name}', ${hash(`select * from pg_catalog.pg_${name}`)}`);

const STRUCTURE = [
  ...objects.filter((text) => !/'(database|largeobject)'/.test(text)),
  ...whole,
  `select 'databases', ${hash("select datname, datacl, datconnlimit from pg_catalog.pg_database where datname not like 'proof%' and datname not like 'twin%'")}`,
  // A session's own schema is made when it is first named.
  `select 'namespace', ${hash("select * from pg_catalog.pg_namespace where oid >= 16384 and nspname !~ '^pg_(toast_)?temp'")}`,
  `select 'superuser', ${hash('select * from pg_catalog.pg_authid where oid < 16384')}`,
  `select 'access', ${hash('select attrelid, attnum, attname, attacl, attstattarget, attcompression, attoptions, atthasmissing, attisdropped from pg_catalog.pg_attribute where attrelid >= 16384')}`,
  `select 'server', ${hash('select name, setting, error from pg_catalog.pg_file_settings')}`,
  `select 'index', ${hash('select * from pg_catalog.pg_index where indexrelid >= 16384')}`,
  `select 'slots', ${hash('select slot_name from pg_catalog.pg_replication_slots')}`,
  `select 'prepared', ${hash('select gid from pg_catalog.pg_prepared_xacts')}`,
];

/** Rows of every table with their places, and sequences. */
const ROWS = `select c.oid::regclass::text, (pg_catalog.xpath('/row/d/text()', pg_catalog.query_to_xml(pg_catalog.format(
    'select pg_catalog.md5(pg_catalog.string_agg(%s, '','' order by %s)) as d from only %s t',
    case c.relkind when 'S' then 't.last_value::text||t.is_called::text' else 't.ctid::text||t::text' end,
    case c.relkind when 'S' then '1' else 't.ctid' end, c.oid::regclass), true, true, '')))[1]::text
  from pg_catalog.pg_class c where c.relkind in ('r', 'm', 'S') and c.oid >= 16384 and c.relispopulated order by 1`;

const UNLABELLED = [
  ['customers', 'tableoid::regclass, id, name, region, note, profile - $$ssn$$ as profile'],
  ['orders', '*'],
  ['audit', '*'],
  ['notes', '*'],
  ['events', 'tableoid::regclass, id, day, kind'],
  ['logins', 'id, place'],
  ['people_only', 'id'],
  ['vip', 'id, perk'],
  ['orders_id_seq', 'last_value'],
  ['audit_id_seq', 'last_value'],
]
  .map(([table, columns]) => `select '${table}', ${hash(`select ${columns} from public.${table}`)}`)
  .join(' union all ');

const COVERED = `select coalesce(v, '') from (
  select id || email || concat_ws('|', ssn, phone, born, salary, token, handle, profile->>'ssn', tags, picture, key, line, level, house) v from public.customers
  union all select id || email from public.logins union all select id || email from public.people_only
  union all select id || who from public.events) s`;

/** What is of the session alone. */
const OWN = `select 'session', pg_catalog.concat_ws('|', current_user, session_user,
    (select pg_catalog.string_agg(name || '=' || setting, ',' order by name) from pg_catalog.pg_settings where source = 'session'),
    (select pg_catalog.string_agg(l, ',') from pg_catalog.pg_listening_channels() l),
    (select pg_catalog.string_agg(name, ',') from pg_catalog.pg_prepared_statements),
    (select pg_catalog.string_agg(name, ',') from pg_catalog.pg_cursors where name <> ''),
    (select pg_catalog.string_agg(objid::text, ',') from pg_catalog.pg_locks where locktype = 'advisory' and pid = pg_catalog.pg_backend_pid()))`;

async function read(session: Session, text: string): Promise<string> {
  const told = await session.ask(text);
  const failed = told.find((one) => one.startsWith('E ') || one === 'closed');
  if (failed !== undefined) throw new Error(`the state cannot be read: ${failed}`);
  return told.filter((one) => one.startsWith('D ')).join('\n');
}

/**
 * Agrees with an earlier answer only where nothing was written on the whole server in between: a glance that saves
 * reading the state. ALTER SYSTEM writes a file and no log.
 */
export function writtenOf(session: Session): Promise<string> {
  return read(
    session,
    `select pg_catalog.pg_current_wal_insert_lsn(), ${hash('select name, setting, error from pg_catalog.pg_file_settings')}`,
  );
}

/** Everything there is to change in a database and its server. */
export async function stateOf(session: Session): Promise<string> {
  return `${await structureOf(session)}\n${await read(session, ROWS)}`;
}

/** The same without the rows of its tables. */
export function structureOf(session: Session): Promise<string> {
  return read(session, STRUCTURE.join(' union all '));
}

export function rowsOf(session: Session): Promise<string> {
  return read(session, ROWS);
}

/** What no label covers. */
export function unlabelledOf(session: Session): Promise<string> {
  return read(session, UNLABELLED);
}

/** What labels cover, by row; empty for a row that has none of it. */
export async function labelledOf(session: Session): Promise<ReadonlySet<string>> {
  return new Set((await read(session, COVERED)).split(/(?:^|\n)D /));
}

export function ownState(session: Session): Promise<string> {
  return read(session, OWN);
}
