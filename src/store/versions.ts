import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { atMost, type Db, guard } from './database.ts';

/** What was in force when: every text of the configuration and of the policies that a gateway loaded, and who changed it. */
export interface Versions {
  /**
   * Keeps a text unless it is what the last version of its kind says, and puts a `config` entry on the feed in the
   * same transaction. Versions of all kinds share one sequence.
   */
  save(kind: VersionKind, text: string, by: string): Promise<SavedVersion>;
  latest(kind: VersionKind): Promise<Version | undefined>;
  get(version: number): Promise<Version | undefined>;
  /** Newest first, without texts. */
  list(kind: VersionKind, limit: number): Promise<readonly VersionHeader[]>;
}

export type VersionKind = 'config' | 'policy';

export interface VersionHeader {
  readonly version: number;
  readonly kind: VersionKind;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
  readonly by: string;
  readonly at: number;
}

export interface Version extends VersionHeader {
  readonly text: string;
}

export interface SavedVersion {
  readonly version: number;
  readonly hash: string;
  readonly changed: boolean;
}

const HEADER = ['version', 'kind', 'hash', 'by', 'at'] as const;

export function versionStore(db: Db): Versions {
  return {
    save: (kind, text, by) => guard(() => save(db, kind, text, by)),
    latest: (kind) => guard(() => latest(db, kind)),
    get: (version) =>
      guard(async () => {
        const row = await db.selectFrom('versions').selectAll().where('version', '=', version).executeTakeFirst();
        return row && { ...row, kind: kindOf(row.kind) };
      }),
    list: (kind, limit) =>
      guard(async () => {
        const rows = await db
          .selectFrom('versions')
          .select(HEADER)
          .where('kind', '=', kind)
          .orderBy('version', 'desc')
          .limit(atMost(limit))
          .execute();
        return rows.map((row) => ({ ...row, kind: kindOf(row.kind) }));
      }),
  };
}

async function save(db: Db, kind: VersionKind, text: string, by: string): Promise<SavedVersion> {
  const hash = createHash('sha256').update(text).digest('hex');
  return db.transaction().execute(async (tx) => {
    // The feed's head is the lock: two nodes that load the same change make one version of it.
    await sql`select 1 from feed_head where id = 1 for update`.execute(tx);
    const last = await latest(tx, kind);
    if (last?.hash === hash) return { version: last.version, hash, changed: false };
    const made = await sql<{ version: number }>`
      insert into versions (version, kind, hash, text, by, at)
      select coalesce(max(version), 0) + 1, ${kind}, ${hash}, ${text}, ${by}, now_ms() from versions
      returning version`.execute(tx);
    const version = made.rows[0]?.version ?? 0;
    await sql`select feed_append('config', ${JSON.stringify({ version })})`.execute(tx);
    return { version, hash, changed: true };
  });
}

async function latest(db: Db, kind: VersionKind): Promise<Version | undefined> {
  const row = await db
    .selectFrom('versions')
    .selectAll()
    .where('kind', '=', kind)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { ...row, kind };
}

function kindOf(kind: string): VersionKind {
  return kind === 'policy' ? 'policy' : 'config';
}
