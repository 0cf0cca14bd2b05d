import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type ThrowawayPostgres } from '../../../devtools/postgres.ts';
import { CLASSES } from './functions.ts';
import { RELATIONS, restrictedColumns } from './relations.ts';
import { render } from './render.ts';
import { type FunctionClass, review } from './review.ts';

// functions.ts is what review.ts says of the pg_proc of real servers. With UPDATE_FUNCTIONS=<folders of initdb of older
// versions, separated by colons> these tests write it anew from those versions and the newest.

let server: ThrowawayPostgres;

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(async () => {
  await server?.stop();
});

const UNWRITABLE = `array['internal', 'trigger', 'event_trigger', 'cstring', 'index_am_handler', 'table_am_handler',
  'language_handler', 'fdw_handler', 'tsm_handler']`;

const CANDIDATES = `
  select name, coalesce(max(volatility) filter (where not internal), 'v') as volatility, bool_and(internal) as internal
  from (
    select proname::text as name, provolatile::text as volatility, prorettype::regtype::text = any (${UNWRITABLE})
      or 'internal'::regtype = any (proargtypes) or 'cstring'::regtype = any (proargtypes) as internal
    from pg_proc where pronamespace = 'pg_catalog'::regnamespace) as overloads
  group by name order by name`;

/** From harmless to grave: where versions differ the graver class counts. */
const GRAVITY: readonly FunctionClass[] = [
  'free',
  'catalog',
  'sequence-next',
  'sequence-set',
  'setting',
  'lock',
  'unvetted',
  'opaque',
  'admin',
];

async function classesOf(of: ThrowawayPostgres): Promise<Map<string, FunctionClass>> {
  const rows = await of.query(CANDIDATES);
  return new Map(
    rows.flatMap((row) => {
      const name = String(row['name']);
      const found = review({ name, volatility: String(row['volatility']), internal: row['internal'] === true });
      return found ? [[name, found] as const] : [];
    }),
  );
}

async function versionOf(of: ThrowawayPostgres): Promise<string> {
  return String((await of.query('show server_version'))[0]?.['server_version']).split('.')[0] ?? '';
}

describe('the table of functions', () => {
  it.runIf(process.env['UPDATE_FUNCTIONS'])('is written anew', async () => {
    const classes = await classesOf(server);
    const versions = [await versionOf(server)];
    for (const programs of (process.env['UPDATE_FUNCTIONS'] ?? '').split(':')) {
      const older = await startPostgres({ programs });
      for (const [name, of] of await classesOf(older)) {
        const now = classes.get(name) ?? of;
        classes.set(name, GRAVITY.indexOf(of) > GRAVITY.indexOf(now) ? of : now);
      }
      versions.push(await versionOf(older));
      await older.stop();
    }
    versions.sort();
    writeFileSync(join(import.meta.dirname, 'functions.ts'), render(classes, versions));
  });

  it('is what the review says of the newest server, and never milder', async () => {
    const milder = [...(await classesOf(server))].filter(
      ([name, of]) => GRAVITY.indexOf(CLASSES.get(name) ?? 'free') < GRAVITY.indexOf(of) || !CLASSES.has(name),
    );
    expect(milder).toEqual([]);
  });

  it.each<[string, FunctionClass | undefined]>([
    ['lower', 'free'],
    ['row_to_json', 'free'],
    ['pg_get_viewdef', 'catalog'],
    ['has_table_privilege', 'catalog'],
    ['pg_get_functiondef', 'admin'],
    ['pg_read_file', 'admin'],
    ['lo_get', 'admin'],
    ['pg_stat_get_activity', 'admin'],
    ['pg_terminate_backend', 'admin'],
    ['pg_logical_slot_get_changes', 'admin'],
    ['query_to_xml', 'opaque'],
    ['table_to_xml_and_xmlschema', 'opaque'],
    ['ts_stat', 'opaque'],
    ['ts_rewrite', 'opaque'],
    ['set_config', 'setting'],
    ['nextval', 'sequence-next'],
    ['pg_advisory_xact_lock', 'lock'],
    ['pg_notify', 'unvetted'],
    ['pg_export_snapshot', 'unvetted'],
    ['textin', undefined],
    ['array_in', undefined],
  ])('says of %s: %s', (name, of) => {
    expect(CLASSES.get(name)).toBe(of);
  });

  it('calls nothing free that can see more than its arguments and session, as far as names tell', () => {
    const seeing =
      /file|_ls_|to_xml|pg_stat|terminate|cancel|privilege|viewdef|slot|lo_|replication|_wal_|advisory|dblink/;
    expect([...CLASSES].filter(([name, of]) => of === 'free' && seeing.test(name)).map(([name]) => name)).toEqual([
      'pg_wal_lsn_diff',
      'pg_walfile_name',
      'pg_walfile_name_offset',
    ]);
  });
});

describe('the list of catalog relations', () => {
  it('names relations that exist, and never those that hold secrets or values', async () => {
    const rows = await server.query(
      "select relnamespace::regnamespace::text as schema, relname::text as name from pg_class where relkind in ('r', 'v')",
    );
    const existing = new Set(rows.map((row) => `${String(row['schema'])}.${String(row['name'])}`));
    const listed = [...RELATIONS].flatMap(([schema, names]) => [...names].map((name) => `${schema}.${name}`));
    expect(listed.filter((name) => !existing.has(name))).toEqual([]);
    for (const secret of [
      'pg_statistic',
      'pg_stats',
      'pg_stats_ext',
      'pg_statistic_ext_data',
      'pg_authid',
      'pg_shadow',
      'pg_largeobject',
      'pg_user_mapping',
      'pg_file_settings',
      'pg_hba_file_rules',
    ]) {
      expect(existing).toContain(`pg_catalog.${secret}`);
      expect(listed).not.toContain(`pg_catalog.${secret}`);
    }
  });

  it('restricts columns that exist', async () => {
    const rows = await server.query(
      "select relnamespace::regnamespace::text as schema, relname::text as name, array_agg(attname::text) as columns from pg_class join pg_attribute on attrelid = pg_class.oid where relkind in ('r', 'v') group by 1, 2",
    );
    const restricted = rows.flatMap((row) => {
      const columns = row['columns'] as string[];
      return [...restrictedColumns(String(row['schema']), String(row['name']))].map((name) => columns.includes(name));
    });
    expect(restricted.length).toBeGreaterThan(8);
    expect(restricted).not.toContain(false);
  });
});
