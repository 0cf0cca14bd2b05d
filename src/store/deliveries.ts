import { randomBytes } from 'node:crypto';
import { type Selectable, sql, type Transaction } from 'kysely';
import { isStillDue, NOTICE_TYPES, type Notice, type NoticeType, noticeOf } from '../approvals/notify/notice.ts';
import type {
  Delivery,
  DeliveryState,
  DeliveryStore,
  ListedDelivery,
  Outcome,
  Room,
} from '../approvals/notify/ports.ts';
import { Fault } from '../core/fault.ts';
import { newId } from '../core/id.ts';
import { find } from './approvals.ts';
import { atMost, type Db, guard, storeClock } from './database.ts';
import { isTrue, macOf, readNotice } from './notices.ts';
import type { DeliveriesTable, Tables } from './schema.ts';

type DeliveriesRow = Selectable<DeliveriesTable>;

/** Any constant serves, another than that of the migrations. */
const ROUTER = 7_443_006;
const BATCH = 100;

export function deliveryStore(db: Db, key: Uint8Array): DeliveryStore {
  return {
    route: (to) =>
      guard(async () => ((await isDue(db)) ? await db.transaction().execute((tx) => route(tx, key, to)) : 0)),
    claim: (rooms, others, lease) => guard(() => claim(db, key, { rooms, others, lease })),
    settle: (delivery, outcome) => guard(() => settle(db, delivery, outcome)),
    receipt: (destination, request) => guard(() => receipt(db, destination, request)),
    list: (filter) => guard(() => list(db, filter)),
    retry: (id) => guard(() => retry(db, id)),
  };
}

/** Asked often, and mostly in vain. */
async function isDue(db: Db): Promise<boolean> {
  const { rows } = await sql<{ due: boolean }>`
    select exists (select 1 from notices where due_at <= now_ms()) as due`.execute(db);
  return rows[0]?.due === true;
}

/** One router at a time, so that what is told of one request stays in its order. */
async function route(
  tx: Transaction<Tables>,
  key: Uint8Array,
  to: (notice: Notice) => readonly string[],
): Promise<number> {
  const lock = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(${ROUTER}) as mine`.execute(tx);
  if (!lock.rows[0]?.mine) return 0;
  const now = await storeClock(tx);
  const due = await tx
    .selectFrom('notices')
    .selectAll()
    .where('due_at', '<=', now)
    .orderBy('sequence')
    .limit(BATCH)
    .execute();
  for (const row of due) {
    const notice = await noticeFrom(tx, key, { ...row, now });
    for (const destination of notice === undefined ? [] : to(notice)) {
      const id = newId({ now: () => now, monotonic: () => now }, { bytes: randomBytes });
      const body = JSON.stringify(notice);
      await tx
        .insertInto('deliveries')
        .values({
          id,
          destination,
          request: row.request,
          type: row.type,
          body,
          mac: macOf([id, destination, body], key),
          state: 'waiting',
          tries: 0,
          next_at: now,
          created_at: now,
        })
        .execute();
    }
  }
  if (due.length > 0) {
    await tx
      .deleteFrom('notices')
      .where(
        'sequence',
        'in',
        due.map((row) => row.sequence),
      )
      .execute();
  }
  return due.length;
}

interface DueNotice {
  readonly request: string;
  readonly type: string;
  readonly body: string | null;
  readonly mac: Buffer | null;
  readonly now: number;
}

/** Undefined: not true any more, or not from a gateway. */
async function noticeFrom(
  tx: Db,
  key: Uint8Array,
  { request, type, body, mac, now }: DueNotice,
): Promise<Notice | undefined> {
  if (body !== null) return isTrue(mac, [request, type, body], key) ? readNotice(body) : undefined;
  const known = NOTICE_TYPES.find((each) => each === type);
  try {
    const found = known && (await find(tx, key, request));
    return known && found && isStillDue(known, found) ? noticeOf(known, found, now) : undefined;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'EVIDENCE_BROKEN') return undefined;
    throw thrown;
  }
}

interface Wish {
  readonly rooms: readonly Room[];
  readonly others: number;
  readonly lease: number;
}

async function claim(db: Db, key: Uint8Array, { rooms, others, lease }: Wish): Promise<readonly Delivery[]> {
  const names = rooms.map((room) => room.destination);
  const frees = rooms.map((room) => room.free);
  const isNext = sql`
    d.state = 'waiting' and d.next_at <= now_ms() and not exists (
      select 1 from deliveries e where e.request = d.request and e.destination = d.destination
        and e.state = 'waiting' and e.sequence < d.sequence)`;
  const claimed = await sql<DeliveriesRow>`
    with mine as (
      select taken.id from unnest(${names}::text[], ${frees}::int4[]) room(destination, free)
      cross join lateral (
        select d.id from deliveries d where d.destination = room.destination and ${isNext}
        order by d.next_at limit room.free for update skip locked) taken
    ), other as (
      select d.id from deliveries d where d.destination <> all (${names}::text[]) and ${isNext}
      order by d.next_at limit ${others} for update skip locked
    )
    update deliveries set tries = tries + 1, next_at = now_ms() + ${lease}::int8
    where id in (select id from mine union all select id from other) returning *`.execute(db);
  const sound = claimed.rows.filter(({ id, destination, body, mac }) => isTrue(mac, [id, destination, body], key));
  for (const row of claimed.rows) {
    if (!sound.includes(row))
      await end(db, row, { state: 'dead', error: 'it was changed by somebody else than a gateway' });
  }
  return sound.map(({ id, destination, body, tries }) => ({ id, destination, notice: readNotice(body), tries }));
}

async function settle(db: Db, delivery: Delivery, outcome: Outcome): Promise<boolean> {
  switch (outcome.kind) {
    case 'sent':
      return await end(db, delivery, { state: 'sent', receipt: outcome.receipt });
    case 'dead':
      return await end(db, delivery, { state: 'dead', error: outcome.error });
    case 'failed': {
      const result = await sql`
        update deliveries set next_at = now_ms() + ${outcome.again}::int8, error = ${outcome.error}
        where id = ${delivery.id} and state = 'waiting' and tries = ${delivery.tries}`.execute(db);
      return result.numAffectedRows === 1n;
    }
  }
}

interface Ending {
  readonly state: 'sent' | 'dead';
  readonly error?: string;
  readonly receipt?: string | undefined;
}

async function end(
  db: Db,
  { id, tries }: { readonly id: string; readonly tries: number },
  { state, error, receipt: name }: Ending,
): Promise<boolean> {
  const result = await sql`
    update deliveries set state = ${state}, ended_at = now_ms(), error = ${error ?? null}, receipt = ${name ?? null}
    where id = ${id} and state = 'waiting' and (tries = ${tries} or ${state} = 'sent')`.execute(db);
  return result.numAffectedRows === 1n;
}

async function receipt(db: Db, destination: string, request: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .select('receipt')
    .where('request', '=', request)
    .where('destination', '=', destination)
    .where('receipt', 'is not', null)
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst();
  return row?.receipt ?? undefined;
}

async function list(
  db: Db,
  { state, limit }: { readonly state?: DeliveryState; readonly limit: number },
): Promise<readonly ListedDelivery[]> {
  let query = db.selectFrom('deliveries').selectAll();
  if (state !== undefined) query = query.where('state', '=', state);
  const rows = await query.orderBy('created_at', 'desc').orderBy('sequence', 'desc').limit(atMost(limit)).execute();
  return rows.map(listed);
}

async function retry(db: Db, id: string): Promise<ListedDelivery> {
  const { rows } = await sql<DeliveriesRow>`
    update deliveries set state = 'waiting', tries = 0, next_at = now_ms(), ended_at = null
    where id = ${id} and state = 'dead' returning *`.execute(db);
  if (rows[0] !== undefined) return listed(rows[0]);
  const found = await db.selectFrom('deliveries').select('state').where('id', '=', id).executeTakeFirst();
  if (found === undefined) throw new Fault('NOT_FOUND', `there is no delivery ${id}`);
  throw new Fault('CONFLICT', `delivery ${id} is ${found.state}; only dead ones are tried again`);
}

function listed(row: DeliveriesRow): ListedDelivery {
  return {
    id: row.id,
    destination: row.destination,
    type: row.type as NoticeType,
    request: row.request,
    state: row.state as DeliveryState,
    tries: row.tries,
    createdAt: row.created_at,
    nextAt: row.state === 'waiting' ? row.next_at : undefined,
    error: row.error ?? undefined,
  };
}
