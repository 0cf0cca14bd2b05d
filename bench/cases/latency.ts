import type pg from 'pg';
import { withClient } from '../clients/driver.ts';
import { percentile } from '../stats.ts';
import { ACCOUNTS } from '../stock.ts';
import type { Target } from '../targets/target.ts';
import { type Case, expectSame, type Sample, type Setting, USUAL } from './case.ts';

const PROBES = 2_000;

/** What a single client waits for a prepared look-up, everything on one core. */
export const latency: Case = {
  name: 'latency-prepared',
  title: `Latency (p50) of a prepared look-up, one client, n=${PROBES}, pinned to one core`,
  unit: 'µs',
  better: 'less',
  per: 'transaction',
  quick: true,
  kinds: USUAL,
  pinned: true,
  check: (target) =>
    withClient(target, async (client) =>
      expectSame('balance', (await client.query(lookup(4711))).rows, [{ abalance: 711 }]),
    ),
  measure: (target) => probe(target, PROBES, (client, i) => client.query(lookup(1 + ((i * 7919) % ACCOUNTS)))),
};

function lookup(id: number): pg.QueryConfig {
  return { name: 'probe', text: 'select abalance from pgbench_accounts where aid = $1', values: [id] };
}

/** Enough for code that compiles as it goes to be done with it. */
const TEXTS = 1_000;

/** Differs in an alias: no two of these have the same shape, and none was seen before. */
let fresh = 0;
const statement = (alias: string) => `select p.id, p.name, p.city, p.born, count(*) as ${alias}, max(b.bbalance) as most
from people p join pgbench_branches b on b.bid = p.id % 10 + 1 left join pgbench_tellers t on t.bid = b.bid
where p.id between 100 and 120 and p.city <> 'Nowhere' and (t.tid is null or t.tid < 1000)
group by p.id, p.name, p.city, p.born order by p.id limit 5`;

/** The difference between these two, less that on a direct connection, is what reading and deciding a new text costs. */
export const decisions: readonly Case[] = [
  decision('decision-seen', 'seen before', () => statement('things')),
  decision('decision-unseen', 'never seen', () => statement(`things_${++fresh}`)),
];

function decision(name: string, what: string, text: () => string): Case {
  return {
    name,
    title: `Latency (p50) of a statement of ${statement('things').length} bytes, ${what}, n=${TEXTS}, one client`,
    unit: 'µs',
    better: 'less',
    per: 'statement',
    quick: true,
    kinds: USUAL,
    check: async (target, setting: Setting) => {
      const ask = (on: Target) =>
        withClient(on, async (client) => (await client.query({ text: statement('things'), rowMode: 'array' })).rows);
      expectSame('rows', await ask(target), await ask(setting.direct));
    },
    measure: (target) => probe(target, TEXTS, (client) => client.query(text())),
  };
}

async function probe(
  target: Target,
  times: number,
  ask: (client: pg.Client, i: number) => Promise<unknown>,
): Promise<Sample> {
  return await withClient(target, async (client) => {
    for (let i = 0; i < times / 10; i++) await ask(client, i);
    const took: number[] = [];
    for (let i = 0; i < times; i++) {
      const begin = performance.now();
      await ask(client, i);
      took.push((performance.now() - begin) * 1000);
    }
    return { value: percentile(took, 0.5), count: times * 1.1 };
  });
}
