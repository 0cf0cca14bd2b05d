import { cellsOf, withClient } from '../clients/driver.ts';
import { loop } from '../clients/loop.ts';
import { type Done, hasPgbench, type Load, type Mode, pgbench } from '../clients/pgbench.ts';
import type { Target } from '../targets/target.ts';
import { type Case, expectSame, type Setting, USUAL } from './case.ts';

/** pgbench's own look-up of one row by its key, in the three ways clients can ask. */
export const lookups: readonly Case[] = (['simple', 'extended', 'prepared'] as const).flatMap((mode) =>
  [1, 8, 32].map(
    (clients): Case => ({
      name: `lookup-${mode}-${clients}`,
      title: `Look-up of one row, ${mode}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
      unit: 'tps',
      better: 'more',
      per: 'transaction',
      quick: clients === 8 && mode !== 'extended',
      kinds: USUAL,
      check: (target) => checkLookup(target, mode),
      measure: (target, setting) => load(target, { mode, clients, seconds: setting.seconds }, setting),
    }),
  ),
);

/** Simple look-ups carry their key in the text, so most texts are new; here the text is always the same. */
const ONE_TEXT = 'SELECT abalance FROM pgbench_accounts WHERE aid = 4711;';

export const oneText: Case = {
  name: 'lookup-same-text-8',
  title: 'The same look-up again and again, simple, 8 clients',
  unit: 'tps',
  better: 'more',
  per: 'transaction',
  quick: true,
  kinds: USUAL,
  check: async (target) => expectSame('the look-up', await cellsOf(target, ONE_TEXT), [['711']]),
  measure: (target, setting) =>
    load(target, { mode: 'simple', clients: 8, seconds: setting.seconds, script: ONE_TEXT }, setting),
};

export async function load(target: Target, asked: Load, setting: Setting): Promise<{ value: number; count: number }> {
  const done: Done = hasPgbench ? await pgbench(target, asked, setting.directory) : await loop(target, asked);
  return { value: done.perSecond, count: done.transactions };
}

async function checkLookup(target: Target, mode: Mode): Promise<void> {
  await withClient(target, async (client) => {
    for (const id of [1, 4711, 100_000]) {
      const text = 'SELECT abalance FROM pgbench_accounts WHERE aid = ';
      const { rows } =
        mode === 'simple'
          ? await client.query(`${text}${id};`)
          : await client.query({ text: `${text}$1;`, values: [id], ...(mode === 'prepared' ? { name: 'check' } : {}) });
      expectSame(`balance of account ${id}`, rows, [{ abalance: id % 1000 }]);
    }
  });
}
