import { readAlarms } from './alarms.ts';
import { follow, type Labels } from './labels.ts';
import type { CatalogConnection, LabelRule } from './ports.ts';
import { definitionsOf, LOCKED } from './queries.ts';
import { inSnapshot, type RawCatalog, readRaw, readVersion } from './read.ts';
import { number, text } from './rows.ts';
import { applyRules, type Ruled } from './rules.ts';
import { viewFlows } from './views.ts';

/** One reading of a catalog: everything in it is of the same moment. */
export interface Reading {
  readonly raw: RawCatalog;
  readonly ruled: Ruled;
  /** Views that labelled values may reach. */
  readonly reached: readonly number[];
  /** Definitions of those of them that were asked for and could be had without waiting. */
  readonly definitions: ReadonlyMap<number, string>;
  /** What an operator should know of the roles. */
  readonly alarms: readonly string[];
}

export interface ReadingOptions {
  readonly rules: readonly LabelRule[];
  readonly roles: readonly string[];
  /** What the same rules labelled at the last reading. */
  readonly before: Labels | undefined;
  /** Of what is held already: nothing more is read when it is still so. */
  readonly fingerprint: string | undefined;
  /** Which of these views need their definitions read. Absent: none. */
  readonly wanted?: (views: readonly number[], raw: RawCatalog) => readonly number[];
}

/** Undefined when nothing has changed. Throws Fault CATALOG_UNREADABLE. */
export function readCatalog(connection: CatalogConnection, options: ReadingOptions): Promise<Reading | undefined> {
  return inSnapshot(connection, async () => {
    const version = await readVersion(connection);
    if (version.fingerprint === options.fingerprint) return undefined;
    const raw = await readRaw(connection, version);
    const ruled = applyRules(raw.relations, options.rules, options.before);
    const alarms = await readAlarms(connection, options.roles);
    const views = reached(raw, ruled);
    const definitions = await readDefinitions(connection, options.wanted?.(views, raw) ?? [], raw);
    return { raw, ruled, reached: views, definitions, alarms };
  });
}

/** Views that labels reach when everything a view uses is in everything it shows. */
function reached(raw: RawCatalog, { direct }: Ruled): number[] {
  const labels = follow(direct, raw.relations, { flows: [...raw.flows, ...viewFlows(raw)], opaque: raw.opaque });
  return [...raw.views.keys()].filter((view) => labels.has(view) && !raw.opaque.has(view));
}

/** Milliseconds to wait for a lock on what a view uses. */
const LOCK_TIMEOUT = 250;

/**
 * pg_get_viewdef locks what the view uses, so views of relations that somebody has for himself are left out: it may be
 * the very session that waits for this reading. Definitions are of this very moment, not of the snapshot: a view dropped
 * meanwhile makes them fail, all of them.
 */
async function readDefinitions(
  connection: CatalogConnection,
  views: readonly number[],
  raw: RawCatalog,
): Promise<ReadonlyMap<number, string>> {
  if (views.length === 0) return new Map();
  const locked = new Set((await connection.query(LOCKED)).map((row) => number(row['relation'])));
  const free = views.filter((view) => {
    return !locked.has(view) && !raw.views.get(view)?.relations.some((relation) => locked.has(relation));
  });
  if (free.length === 0) return new Map();
  await connection.query('savepoint definitions');
  try {
    await connection.query(`set local lock_timeout = ${LOCK_TIMEOUT}`);
    const rows = await connection.query(definitionsOf(free));
    return new Map(rows.map((row) => [number(row['view']), text(row['definition'])]));
  } catch {
    await connection.query('rollback to savepoint definitions');
    return new Map();
  }
}
