import { sql } from 'kysely';
import { Fault } from '../core/fault.ts';
import { LIFTABLE, type Revocation, type RevocationSubject, strikeKey } from '../core/feed.ts';
import type { RevocationFilter, RevocationStore } from '../identity/ports.ts';
import { atMost, type Db, guard, storeClock } from './database.ts';
import { type Told, toRevocation } from './revocation.ts';

/** What was revoked, one row for each subject: the row says how it stands now, the feed how it came to. */
export function revocationStore(db: Db): RevocationStore {
  return {
    revoke: (subject, by, reason) =>
      guard(() => strike(db, { subject, by, reason, lasting: subject.kind !== 'membership' })),
    cut: (subject, by, reason) => guard(() => strike(db, { subject, by, reason, lasting: false })),
    lift: (subject, by, reason) => guard(() => lift(db, subject, { by, reason })),
    revocations: (filter) => guard(() => list(db, filter)),
    knows: (subject) => guard(() => knows(db, subject)),
  };
}

async function strike(db: Db, wanted: Omit<Told, 'at'> & { readonly lasting: boolean }): Promise<Revocation> {
  return db.transaction().execute(async (tx) => {
    const found = await held(tx, wanted.subject);
    // One that lasts already ends more than any other would.
    if (found !== undefined && found.until === undefined) return found;
    const told: Told = { ...wanted, at: await storeClock(tx) };
    const sequence = await tell(tx, 'revoked', told);
    const { subject, by, reason, at } = told;
    const row = {
      kind: subject.kind,
      id: subject.id,
      member_of: subject.kind === 'membership' ? subject.group : null,
      by,
      reason,
      at,
      sequence,
      until: wanted.lasting ? null : sequence,
      lifted_at: null,
      lifted_by: null,
      lifted_reason: null,
    };
    await tx
      .insertInto('revocations')
      .values({ key: strikeKey(subject), ...row })
      .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
      .execute();
    return { subject, by, reason, at, until: row.until ?? undefined, lifted: undefined };
  });
}

async function lift(
  db: Db,
  subject: RevocationSubject,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<Revocation | undefined> {
  if (!LIFTABLE.some((kind) => kind === subject.kind)) {
    throw new Fault('CONFLICT', `what a revoked ${subject.kind} was stays ended`);
  }
  return db.transaction().execute(async (tx) => {
    const found = await held(tx, subject);
    if (found === undefined || found.until !== undefined) return found;
    const lifted = { by, reason, at: await storeClock(tx) };
    const told: Told = { subject, by: found.by, reason: found.reason, at: found.at, lifted };
    const until = await tell(tx, 'lifted', told);
    await tx
      .updateTable('revocations')
      .set({ until, lifted_at: lifted.at, lifted_by: by, lifted_reason: reason })
      .where('key', '=', strikeKey(subject))
      .execute();
    return { ...found, until, lifted };
  });
}

/** Revocations are serialised by the feed's head; whoever has it sees every earlier one. */
async function held(tx: Db, subject: RevocationSubject): Promise<Revocation | undefined> {
  await sql`select 1 from feed_head where id = 1 for update`.execute(tx);
  const row = await tx.selectFrom('revocations').selectAll().where('key', '=', strikeKey(subject)).executeTakeFirst();
  return row && toRevocation(row);
}

async function tell(tx: Db, kind: 'revoked' | 'lifted', told: Told): Promise<number> {
  const entry = await sql<{ sequence: number }>`
    select feed_append(${kind}, ${JSON.stringify(told)}) as sequence`.execute(tx);
  const sequence = entry.rows[0]?.sequence;
  if (sequence === undefined) throw new Fault('INTERNAL', 'the feed took nothing');
  return sequence;
}

async function list(db: Db, filter: RevocationFilter): Promise<readonly Revocation[]> {
  let query = db.selectFrom('revocations').selectAll();
  if (filter.kinds !== undefined) query = query.where('kind', 'in', [...filter.kinds]);
  if (filter.ids !== undefined) query = query.where('id', '=', sql<string>`any (${[...filter.ids]})`);
  if (filter.lasting) query = query.where('until', 'is', null);
  if (filter.limit !== undefined) query = query.limit(atMost(filter.limit));
  return (await query.orderBy('sequence', 'desc').execute()).map(toRevocation);
}

async function knows(db: Db, subject: RevocationSubject): Promise<boolean> {
  const found = await sql`select 1 from grants where strikes @> ${[strikeKey(subject)]}::text[] limit 1`.execute(db);
  return found.rows.length > 0;
}
