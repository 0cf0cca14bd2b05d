import { createHmac, timingSafeEqual } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { ApprovalStore, NewRequest, RequestFilter } from '../approvals/ports.ts';
import { at, covers, standing, type Wanted } from '../approvals/request.ts';
import type { Answer, ApprovalRequest } from '../core/approval.ts';
import { Fault } from '../core/fault.ts';
import { type RevocationSubject, strikeKey } from '../core/feed.ts';
import { atMost, type Db, guard, storeClock } from './database.ts';
import { notice } from './notices.ts';
import type { ApprovalsTable, Tables } from './schema.ts';

/** Requests for approval, each one JSON value under a MAC: who may write the table cannot write an answer. */
export function approvalStore(db: Db, key: Uint8Array): ApprovalStore {
  return {
    open: (wanted, fresh) => guard(() => db.transaction().execute((tx) => open(tx, key, wanted, fresh))),
    change: (id, change) => guard(() => db.transaction().execute((tx) => changed(tx, key, id, change))),
    find: (id) => guard(() => find(db, key, id)),
    list: (filter) => guard(() => list(db, key, filter)),
  };
}

/** Of those for the same or alike; older ones are asked for again. */
const MOST_KNOWN = 100;
/** Requests of one principal that wait at once: who is asked must be able to read them. */
const MOST_WAITING = 1_000;

async function open(
  tx: Transaction<Tables>,
  key: Uint8Array,
  wanted: Wanted,
  fresh: NewRequest,
): Promise<ApprovalRequest> {
  const now = await lockedAt(tx, wanted.digest);
  const rows = await tx
    .selectFrom('approvals')
    .selectAll()
    .where('state', 'in', ['waiting', 'approved'])
    .where((eb) =>
      eb.or([
        eb('digest', '=', wanted.digest),
        eb.and([eb('state', '=', 'approved'), eb('around', '=', wanted.around)]),
        ...(wanted.alike === undefined ? [] : [eb.and([eb('state', '=', 'approved'), eb('alike', '=', wanted.alike)])]),
      ]),
    )
    .where('expires_at', '>', now)
    .orderBy('created_at', 'desc')
    .limit(MOST_KNOWN)
    .execute();
  const requests = rows.map((row) => at(decode(row, key), now));
  const known = await Promise.all(requests.map((request) => standingNow(tx, request)));
  const found =
    known.find((request) => covers(request, wanted)) ??
    known.find(({ state, digest }) => state === 'waiting' && digest === wanted.digest);
  if (found !== undefined) return found;
  await demandRoom(tx, fresh.asker.principal.id, now);
  const { lasts, ...rest } = fresh;
  const request: ApprovalRequest = {
    ...rest,
    state: 'waiting',
    answers: [],
    createdAt: now,
    expiresAt: now + lasts,
    scope: 'once',
    uses: 0,
    reviewDue: false,
  };
  await tx.insertInto('approvals').values(encode(request, key)).execute();
  // Nothing on the feed: nobody waits for a request to be made, and revocations must not wait for a flood of them.
  await notice(tx, key, { before: undefined, after: request, now });
  return request;
}

async function changed(
  tx: Transaction<Tables>,
  key: Uint8Array,
  id: string,
  change: (request: ApprovalRequest, now: number) => ApprovalRequest | undefined,
): Promise<ApprovalRequest> {
  const row = await tx.selectFrom('approvals').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined) throw new Fault('NOT_FOUND', `there is no request ${id}`);
  const before = await standingNow(tx, decode(row, key));
  const now = await storeClock(tx);
  const next = change(before, now);
  if (next === undefined) return at(before, now);
  const { id: _, ...columns } = encode(next, key);
  await tx.updateTable('approvals').set(columns).where('id', '=', id).execute();
  if (next.state !== before.state || next.answers.length !== before.answers.length) await tell(tx, next);
  await notice(tx, key, { before, after: next, now });
  return next;
}

/** The request as it stands now. */
export async function find(db: Db, key: Uint8Array, id: string): Promise<ApprovalRequest | undefined> {
  const query = db.selectFrom('approvals').selectAll().select(sql<number>`now_ms()`.as('now')).where('id', '=', id);
  const row = await query.executeTakeFirst();
  return row && at(decode(row, key), row.now);
}

async function list(db: Db, key: Uint8Array, filter: RequestFilter): Promise<readonly ApprovalRequest[]> {
  const { states, principal, reviewDue } = filter;
  const now = await storeClock(db);
  let query = db.selectFrom('approvals').selectAll();
  if (principal !== undefined) query = query.where('principal', '=', principal);
  if (reviewDue !== undefined) query = query.where('review_due', '=', reviewDue);
  // What has expired still stands in the table as it was left.
  if (states !== undefined && !states.includes('expired')) {
    query = query.where('state', 'in', [...states]);
    const isOpen = states.every((state) => state === 'waiting' || state === 'approved');
    if (isOpen) query = query.where('expires_at', '>', now);
  }
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(atMost(filter.limit)).execute();
  const requests = rows.map((row) => at(decode(row, key), now));
  return states === undefined ? requests : requests.filter(({ state }) => states.includes(state));
}

/** Whoever is no longer trusted was not when others relied on them: what they answered is taken out. */
async function standingNow(tx: Transaction<Tables>, request: ApprovalRequest): Promise<ApprovalRequest> {
  if (request.answers.length === 0) return request;
  const keys = [...new Set(request.answers.flatMap(keysOf))];
  const struck = await tx
    .selectFrom('revocations')
    .select(['key', 'at'])
    .where('key', '=', sql<string>`any (${keys})`)
    .execute();
  const isStruck = (answer: Answer): boolean => {
    const own = keysOf(answer);
    return struck.some((each) => own.includes(each.key) && each.at >= answer.at);
  };
  return standing(request, isStruck);
}

function keysOf({ by: { id, groups } }: Answer): string[] {
  const subjects: RevocationSubject[] = [
    { kind: 'principal', id },
    ...groups.map((group) => ({ kind: 'membership', id, group }) as const),
  ];
  return subjects.map(strikeKey);
}

async function demandRoom(tx: Transaction<Tables>, principal: string, now: number): Promise<void> {
  const waiting = await tx
    .selectFrom('approvals')
    .select('id')
    .where('principal', '=', principal)
    .where('state', '=', 'waiting')
    .where('expires_at', '>', now)
    .limit(MOST_WAITING)
    .execute();
  if (waiting.length >= MOST_WAITING) {
    throw new Fault(
      'CONFLICT',
      `${MOST_WAITING} requests of theirs wait already: withdraw some, or have them answered`,
    );
  }
}

/** One at a time for one effect. */
async function lockedAt(tx: Transaction<Tables>, digest: string): Promise<number> {
  const lock = sql`pg_advisory_xact_lock(hashtextextended(${digest}, 7443))`;
  const result = await sql<{ now: number }>`select now_ms() as now from (select ${lock}) as locked`.execute(tx);
  const now = result.rows[0]?.now;
  if (now === undefined) throw new Fault('STORE_UNAVAILABLE', 'the store does not tell the time');
  return now;
}

async function tell(tx: Transaction<Tables>, { id, state }: ApprovalRequest): Promise<void> {
  await sql`select feed_append('approval', ${JSON.stringify({ id, state })})`.execute(tx);
}

function encode(request: ApprovalRequest, key: Uint8Array): ApprovalsTable {
  const body = JSON.stringify(request);
  return {
    id: request.id,
    digest: request.digest,
    alike: request.alike ?? null,
    around: request.scope === 'window' ? request.around : null,
    state: request.state,
    principal: request.asker.principal.id,
    review_due: request.reviewDue,
    created_at: request.createdAt,
    expires_at: request.expiresAt,
    body,
    mac: macOf(body, key),
  };
}

/** Columns only find; what they say must be what the body says. */
function decode(row: ApprovalsTable, key: Uint8Array): ApprovalRequest {
  const mac = macOf(row.body, key);
  const isWhole = mac.length === row.mac.length && timingSafeEqual(mac, row.mac);
  if (!isWhole) throw new Fault('EVIDENCE_BROKEN', `request ${row.id} was changed by somebody else than a gateway`);
  const request: ApprovalRequest = JSON.parse(row.body);
  if (request.id !== row.id || request.state !== row.state || request.digest !== row.digest) {
    throw new Fault('EVIDENCE_BROKEN', `request ${row.id} is not where it belongs`);
  }
  return request;
}

function macOf(body: string, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update('sallyport approval 1\n').update(body).digest();
}
