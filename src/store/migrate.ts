import { sql } from 'kysely';
import { Fault } from '../core/fault.ts';
import type { Db } from './database.ts';
import { first } from './migrations/0001-first.ts';
import { spending } from './migrations/0002-spending.ts';
import { approvals } from './migrations/0003-approvals.ts';
import { lifted } from './migrations/0004-lifted.ts';
import { backends } from './migrations/0005-backends.ts';
import { deliveries } from './migrations/0006-deliveries.ts';

/** In the order they are applied in. Versions are the numbers of the files and need not be without gaps. */
const MIGRATIONS: readonly { readonly version: number; readonly name: string; readonly sql: string }[] = [
  { version: 1, name: 'first', sql: first },
  { version: 2, name: 'spending', sql: spending },
  { version: 3, name: 'approvals', sql: approvals },
  { version: 4, name: 'lifted', sql: lifted },
  { version: 5, name: 'backends', sql: backends },
  { version: 6, name: 'deliveries', sql: deliveries },
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
    const applied = new Set(
      (await tx.selectFrom('schema_version').select('version').execute()).map((one) => one.version),
    );
    const at = Math.max(0, ...applied);
    const known = Math.max(...MIGRATIONS.map((one) => one.version));
    if (at > known) {
      throw new Fault('CONFLICT', `the store's schema is version ${at}; this release knows ${known}: use a newer one`);
    }
    for (const { version, name, sql: text } of MIGRATIONS) {
      if (applied.has(version)) continue;
      await sql.raw(text).execute(tx);
      await tx.insertInto('schema_version').values({ version, name }).execute();
    }
  });
}
