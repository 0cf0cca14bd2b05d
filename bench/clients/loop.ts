import type pg from 'pg';
import { ACCOUNTS } from '../stock.ts';
import type { Target } from '../targets/target.ts';
import { connect } from './driver.ts';
import type { Done, Load } from './pgbench.ts';

/**
 * In place of pgbench where it is not installed: the same load by the `pg` driver in this process, which is then the
 * slowest part. Good for comparing targets roughly, not for the figures themselves.
 */
export async function loop(target: Target, load: Load): Promise<Done> {
  const opened: (pg.Client | undefined)[] = [];
  for (let i = 0; i < load.clients; i++) opened.push(load.reconnect ? undefined : await connect(target));
  const begin = performance.now();
  const end = begin + load.seconds * 1000;
  let transactions = 0;
  await Promise.all(
    opened.map(async (kept) => {
      while (performance.now() < end) {
        const client = kept ?? (await connect(target));
        await ask(client, load);
        if (kept === undefined) await client.end();
        transactions += 1;
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  for (const client of opened) await client?.end();
  return { transactions, perSecond: transactions / seconds };
}

async function ask(client: pg.Client, { mode, script }: Load): Promise<void> {
  // A line for pgbench itself asks the server nothing.
  if (script?.startsWith('\\')) return;
  const id = 1 + Math.floor(Math.random() * ACCOUNTS);
  if (script !== undefined) await client.query(script);
  else if (mode === 'simple') await client.query(`SELECT abalance FROM pgbench_accounts WHERE aid = ${id};`);
  else {
    const text = 'SELECT abalance FROM pgbench_accounts WHERE aid = $1;';
    await client.query({ text, values: [id], ...(mode === 'prepared' ? { name: 'lookup' } : {}) });
  }
}
