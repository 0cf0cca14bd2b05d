import { type Selectable, sql } from 'kysely';
import type { ListedSession, SessionDirectory, SessionFilter, SessionRow, SessionTotals } from '../core/directory.ts';
import { atMost, type Db, guard, storeClock } from './database.ts';
import type { SessionsTable } from './schema.ts';

/** The list of sessions for people. The evidence, not this list, is what proves that a session was. */
export function sessionDirectory(db: Db): SessionDirectory {
  return {
    opened: (row) => guard(() => opened(db, row)),
    ended: (id, at, cause, totals) => guard(() => ended(db, id, at, cause, totals)),
    abandon: (node, worker) => guard(() => abandon(db, node, worker)),
    list: (filter) => guard(() => list(db, filter)),
    find: (id) => guard(() => find(db, id)),
  };
}

async function opened(db: Db, row: SessionRow): Promise<void> {
  const { grant, chainIds, startedAt, client, detail, ...same } = row;
  await db
    .insertInto('sessions')
    .values({
      ...same,
      grant_id: grant,
      chain_ids: [...chainIds],
      started_at: startedAt,
      client: client === undefined ? null : readable(client),
      detail: JSON.stringify(detail),
      ended_at: null,
      cause: null,
      operations: null,
      denied: null,
      rows: null,
    })
    .execute();
}

async function ended(db: Db, id: string, at: number, cause: string, totals: SessionTotals): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ ended_at: at, cause: readable(cause), ...totals })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .execute();
}

async function abandon(db: Db, node: string, worker: number): Promise<number> {
  const result = await db
    .updateTable('sessions')
    .set({ ended_at: await storeClock(db), cause: 'lost' })
    .where('node', '=', node)
    .where('worker', '=', worker)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

async function list(db: Db, filter: SessionFilter): Promise<readonly ListedSession[]> {
  let query = db.selectFrom('sessions').selectAll();
  if (filter.live) query = query.where('ended_at', 'is', null);
  if (filter.target !== undefined) query = query.where('target', '=', filter.target);
  if (filter.chainId !== undefined) query = query.where(sql<boolean>`chain_ids @> ${[filter.chainId]}::text[]`);
  const rows = await query.orderBy('started_at', 'desc').orderBy('id', 'desc').limit(atMost(filter.limit)).execute();
  return rows.map(toListed);
}

async function find(db: Db, id: string): Promise<ListedSession | undefined> {
  const row = await db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
  return row && toListed(row);
}

function toListed(row: Selectable<SessionsTable>): ListedSession {
  const { operations, denied, rows } = row;
  const hasTotals = operations !== null && denied !== null && rows !== null;
  return {
    id: row.id,
    node: row.node,
    worker: row.worker,
    target: row.target,
    database: row.database,
    role: row.role,
    grant: row.grant_id,
    chainIds: row.chain_ids,
    chain: row.chain,
    detail: JSON.parse(row.detail),
    startedAt: row.started_at,
    client: row.client ?? undefined,
    address: row.address,
    endedAt: row.ended_at ?? undefined,
    cause: row.cause ?? undefined,
    totals: hasTotals ? { operations, denied, rows } : undefined,
  };
}

/** Text columns hold no NUL, and what a client calls itself may. */
function readable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
