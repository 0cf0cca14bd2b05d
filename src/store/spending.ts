import { sql } from 'kysely';
import type { Account, Spending } from '../core/budget.ts';
import { type Db, guard } from './database.ts';

/** Sums that only grow, by holder, thing and hour. */
export function spendingStore(db: Db): Spending {
  return {
    add: (account, amount) => guard(() => add(db, account, amount)),
    spend: (account, amount, most) => guard(() => spend(db, account, amount, most)),
    forget: (before) => guard(() => forget(db, before)),
  };
}

async function add(db: Db, { holder, what, hour }: Account, amount: number): Promise<number> {
  const { spent } = await db
    .insertInto('spending')
    .values({ holder, what, hour, spent: amount })
    .onConflict((conflict) =>
      conflict.columns(['holder', 'what', 'hour']).doUpdateSet({ spent: sql`spending.spent + excluded.spent` }),
    )
    .returning('spent')
    .executeTakeFirstOrThrow();
  return Number(spent);
}

async function spend(db: Db, { holder, what, hour }: Account, amount: number, most: number): Promise<boolean> {
  if (amount > most) return false;
  const row = await db
    .insertInto('spending')
    .values({ holder, what, hour, spent: amount })
    .onConflict((conflict) =>
      conflict
        .columns(['holder', 'what', 'hour'])
        .doUpdateSet({ spent: sql`spending.spent + excluded.spent` })
        .where(sql<boolean>`spending.spent + excluded.spent <= ${most}`),
    )
    .returning('spent')
    .executeTakeFirst();
  return row !== undefined;
}

/** Hour 0 stands for ever, and stays. */
async function forget(db: Db, before: number): Promise<void> {
  await db.deleteFrom('spending').where('hour', '<', before).where('hour', '>', 0).execute();
}
