import { sql } from 'kysely';
import { Fault } from '../core/fault.ts';
import type { Db } from './database.ts';
import { first } from './migrations/0001-first.ts';
import { spending } from './migrations/0002-spending.ts';

const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
  { name: 'first', sql: first },
  { name: 'spending', sql: spending },
];

/** Any constant serves; all gateways of one store must use the same. */
const LOCK = 7_443_001;

/**
 * Brings the schema up to date in one transaction that one gateway at a time may run. A store that a newer release
 * has migrated is refused with Fault CONFLICT.
 */
export async function migrate(db: Db): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx);
    // `if not exists` would ask for the right to create it even where it is there.
    const found = await sql<{ at: string | null }>`select to_regnamespace('sallyport')::text as at`.execute(tx);
    if (!found.rows[0]?.at) await sql`create schema sallyport`.execute(tx);
    await sql`create table if not exists schema_version (
      version int4 primary key, name text not null, applied_at timestamptz not null default now())`.execute(tx);
    const row = await tx
      .selectFrom('schema_version')
      .select(sql<number | null>`max(version)`.as('at'))
      .executeTakeFirst();
    const at = row?.at ?? 0;
    if (at > MIGRATIONS.length) {
      throw new Fault(
        'CONFLICT',
        `the store's schema is version ${at}; this release knows ${MIGRATIONS.length}: use a newer one`,
      );
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < at) continue;
      await sql.raw(migration.sql).execute(tx);
      await tx
        .insertInto('schema_version')
        .values({ version: index + 1, name: migration.name })
        .execute();
    }
  });
}
