import { createHash } from 'node:crypto';
import { type SelectQueryBuilder, sql } from 'kysely';
import { Fault } from '../core/fault.ts';
import { bites, type Revocation, strikeKey } from '../core/feed.ts';
import { type Chain, footholdsOf, type Grant, MAX_DEPTH } from '../core/grant.ts';
import type { GrantFilter, GrantStore, ListedGrant, PassVerifier, StoredGrant } from '../identity/ports.ts';
import { atMost, type Db, guard, sqlState, storeClock } from './database.ts';
import { decodeGrant, decodeVerifier, encodeGrant, type GrantRow } from './grant-record.ts';
import { toRevocation } from './revocation.ts';
import { revocationStore } from './revocations.ts';
import type { Tables } from './schema.ts';

/** Live children one grant may have at a time. */
const MAX_CHILDREN = 256;

/** The delegation tree. `key` authenticates every row (grant-record.ts) and must be the same on all nodes of a store. */
export function grantStore(db: Db, key: Uint8Array): GrantStore {
  return {
    insert: (grant, verifier) => guard(() => insert(db, key, grant, verifier)),
    load: (id) => guard(() => load(db, key, id)),
    verifier: (id) => guard(() => verifierOf(db, key, id)),
    debit: (path, count) => guard(() => debit(db, path, count)),
    usesLeft: (id) => guard(() => usesLeft(db, id)),
    ...revocationStore(db),
    list: (filter) => guard(() => list(db, key, filter)),
    once: (issuer, tokenId, expires) => guard(() => once(db, issuer, tokenId, expires)),
  };
}

async function insert(db: Db, key: Uint8Array, grant: Grant, verifier: PassVerifier): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const parent = grant.parent === undefined ? undefined : await lockParent(tx, key, grant, grant.parent);
    if (!parent && (grant.path.length !== 1 || grant.path[0] !== grant.id))
      throw invalid('a root grant is its own path');
    // Read as late as can be: what is revoked or lifted from here on finds a grant that was there before.
    const { sequence: born } = await tx.selectFrom('feed_head').select('sequence').executeTakeFirstOrThrow();
    try {
      await tx
        .insertInto('grants')
        .values(encodeGrant(grant, verifier, { parent, born, key }))
        .execute();
    } catch (error) {
      if (sqlState(error) === '23505') throw new Fault('CONFLICT', `grant ${grant.id} exists`, { cause: error });
      throw error;
    }
  });
}

/** Holds the parent's row until commit, so that its children are counted one at a time. */
async function lockParent(tx: Db, key: Uint8Array, grant: Grant, id: string): Promise<GrantRow> {
  await sql`select 1 from grants where id = ${id} for no key update`.execute(tx);
  const found = await loadPath(tx, key, id);
  const row = found?.rows.at(-1);
  const parent = found?.chain.grants.at(-1);
  if (!found || !row || !parent) throw invalid('the parent grant is unknown');
  if (found.revoked) throw invalid('the parent grant is revoked');
  const now = await storeClock(tx);
  if (parent.expires <= now) throw invalid('the parent grant has expired');
  if (grant.expires > parent.expires) throw invalid('a grant cannot outlive its parent');
  if (grant.path.length !== parent.path.length + 1 || grant.path.join('/') !== [...parent.path, grant.id].join('/')) {
    throw invalid('the path is not that of a child');
  }
  if (grant.path.length > MAX_DEPTH + 1) throw invalid(`a delegation tree is at most ${MAX_DEPTH} deep`);
  if (grant.principal.id !== parent.principal.id || grant.transaction !== parent.transaction) {
    throw invalid('principal and transaction are those of the parent');
  }
  const { count } = await tx
    .selectFrom('grants')
    .select(sql<number>`count(*)`.as('count'))
    .where('parent', '=', id)
    .where('expires', '>', now)
    .executeTakeFirstOrThrow();
  if (count >= MAX_CHILDREN) throw invalid(`a grant has at most ${MAX_CHILDREN} live children`);
  return row;
}

async function load(db: Db, key: Uint8Array, id: string): Promise<StoredGrant | undefined> {
  const found = await loadPath(db, key, id);
  return found && { chain: found.chain, revoked: found.revoked };
}

/** The first revocation that ends the chain. */
async function revocationOf(db: Db, chain: Chain): Promise<Revocation | undefined> {
  const born = new Map(footholdsOf(chain).map((foothold) => [strikeKey(foothold.subject), foothold.born]));
  const found = await db
    .selectFrom('revocations')
    .selectAll()
    .where('key', '=', sql<string>`any (${[...born.keys()]})`)
    .orderBy('sequence')
    .execute();
  return found.map(toRevocation).find((one) => bites(one, born.get(strikeKey(one.subject))));
}

interface LoadedPath extends StoredGrant {
  readonly rows: readonly GrantRow[];
}

/** Every grant of the path, each checked against its hash and its parent's; a hole is a broken chain. */
async function loadPath(db: Db, key: Uint8Array, id: string): Promise<LoadedPath | undefined> {
  const rows = await sql<GrantRow>`
    select g.* from grants leaf join grants g on g.id = any (leaf.path)
    where leaf.id = ${id} order by array_position(leaf.path, g.id)`.execute(db);
  const leaf = rows.rows.find((row) => row.id === id);
  if (!leaf) return undefined;
  const grants = rows.rows.map((row, index) => decodeGrant(row, rows.rows[index - 1], key));
  const [root, ...rest] = grants;
  const isWhole = leaf.path.join('/') === rows.rows.map((row) => row.id).join('/');
  if (!root || !isWhole) throw new Fault('EVIDENCE_BROKEN', `grant ${id}: its path has a hole`);
  const chain: Chain = { grants: [root, ...rest] };
  return { chain, revoked: await revocationOf(db, chain), rows: rows.rows };
}

async function verifierOf(db: Db, key: Uint8Array, id: string): Promise<PassVerifier | undefined> {
  const row = await db.selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) return undefined;
  const parent =
    row.parent === null
      ? undefined
      : await db.selectFrom('grants').selectAll().where('id', '=', row.parent).executeTakeFirst();
  decodeGrant(row, parent, key);
  return decodeVerifier(row);
}

async function debit(db: Db, path: readonly string[], count: number): Promise<{ exhausted: string } | 'debited'> {
  if (!Number.isSafeInteger(count) || count < 0) throw new Fault('INTERNAL', 'uses are whole numbers');
  try {
    const result = await sql<{ short: string | null }>`select debit(${[...path]}, ${count}) as short`.execute(db);
    const [row] = result.rows;
    if (!row) throw new Fault('INTERNAL', 'no answer to a debit');
    return row.short === null ? 'debited' : { exhausted: row.short };
  } catch (error) {
    if (sqlState(error) === 'P0002') throw new Fault('NOT_FOUND', 'a grant of the path is unknown', { cause: error });
    throw error;
  }
}

async function usesLeft(db: Db, id: string): Promise<number | undefined> {
  const row = await db.selectFrom('grants').select('uses_left').where('id', '=', id).executeTakeFirst();
  if (!row) throw new Fault('NOT_FOUND', `grant ${id} is unknown`);
  return row.uses_left ?? undefined;
}

async function list(db: Db, key: Uint8Array, filter: GrantFilter): Promise<readonly ListedGrant[]> {
  let query = db.selectFrom('grants').selectAll('grants');
  if (filter.under !== undefined) query = query.where(sql<boolean>`path @> ${[filter.under]}::text[]`);
  if (filter.principal !== undefined) query = query.where('principal', '=', filter.principal);
  if (filter.roots) query = query.where('parent', 'is', null);
  if (filter.live) query = living(query);
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(atMost(filter.limit)).execute();
  if (rows.length === 0) return [];
  const parents = await byId(db, rows);
  const struck = await strikesAt(db, rows);
  return rows.map((row) => ({
    grant: decodeGrant(row, row.parent === null ? undefined : parents.get(row.parent), key),
    usesLeft: row.uses_left ?? undefined,
    revoked: struck.get(row.id),
  }));
}

function living<O>(query: SelectQueryBuilder<Tables, 'grants', O>): SelectQueryBuilder<Tables, 'grants', O> {
  return query.where(sql<boolean>`expires > now_ms()`).where(sql<boolean>`first_strike(path) is null`);
}

/** The revocations that end these grants, by the grants' ids. */
async function strikesAt(db: Db, rows: readonly GrantRow[]): Promise<Map<string, Revocation>> {
  const ids = rows.map((row) => row.id);
  const found = await db
    .selectFrom('revocations')
    .innerJoin('grants', (join) => join.on(sql<boolean>`revocations.key = first_strike(grants.path)`))
    .selectAll('revocations')
    .select('grants.id as struck')
    .where('grants.id', '=', sql<string>`any (${ids})`)
    .execute();
  return new Map(found.map((row) => [row.struck, toRevocation(row)]));
}

async function byId(db: Db, rows: readonly GrantRow[]): Promise<Map<string, GrantRow>> {
  const ids = [...new Set(rows.flatMap((row) => (row.parent === null ? [] : [row.parent])))];
  const found = await db.selectFrom('grants').selectAll().where('id', '=', sql<string>`any (${ids})`).execute();
  return new Map(found.map((row) => [row.id, row]));
}

/** Tokens are kept as hashes: their ids come from outside and may be of any length. */
async function once(db: Db, issuer: string, tokenId: string, expires: number): Promise<boolean> {
  const key = createHash('sha256')
    .update(JSON.stringify([issuer, tokenId]))
    .digest();
  const result = await db
    .insertInto('used_tokens')
    .values({ key, expires })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

function invalid(message: string): Fault {
  return new Fault('GRANT_INVALID', message);
}
