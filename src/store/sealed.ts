import { sql } from 'kysely';
import type { SealedStore } from '../secrets/ports.ts';
import { type Db, guard } from './database.ts';

export function sealedStore(db: Db): SealedStore {
  return {
    put: (name, sealed, { keyId, by }) =>
      guard(async () => {
        await sql`
          insert into sealed (name, key_id, sealed, by, at)
          values (${name}, ${keyId}, ${Buffer.from(sealed)}, ${by}, now_ms())
          on conflict (name) do update set key_id = excluded.key_id, sealed = excluded.sealed,
            by = excluded.by, at = excluded.at`.execute(db);
      }),
    get: (name) =>
      guard(async () => {
        const row = await db.selectFrom('sealed').select('sealed').where('name', '=', name).executeTakeFirst();
        return row && new Uint8Array(row.sealed);
      }),
    swap: (name, expected, next, { keyId, by }) =>
      guard(async () => {
        const result = await (next === undefined
          ? sql`delete from sealed where name = ${name} and sealed = ${bytea(expected)}`
          : expected === undefined
            ? sql`
              insert into sealed (name, key_id, sealed, by, at) values (${name}, ${keyId}, ${bytea(next)}, ${by}, now_ms())
              on conflict (name) do nothing`
            : sql`
              update sealed set key_id = ${keyId}, sealed = ${bytea(next)}, by = ${by}, at = now_ms()
              where name = ${name} and sealed = ${bytea(expected)}`
        ).execute(db);
        return result.numAffectedRows === 1n;
      }),
    remove: (name) =>
      guard(async () => {
        const result = await db.deleteFrom('sealed').where('name', '=', name).executeTakeFirst();
        return result.numDeletedRows > 0n;
      }),
    list: () =>
      guard(async () => {
        const rows = await db.selectFrom('sealed').select(['name', 'key_id', 'by', 'at']).orderBy('name').execute();
        return rows.map((row) => ({ name: row.name, keyId: row.key_id, by: row.by, at: row.at }));
      }),
  };
}

function bytea(bytes: Uint8Array | undefined): Buffer | null {
  return bytes === undefined ? null : Buffer.from(bytes);
}
