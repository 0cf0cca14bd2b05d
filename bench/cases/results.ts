import { Counter } from '../clients/count.ts';
import { PeopleChecker } from '../clients/people.ts';
import { RawClient } from '../clients/raw.ts';
import type { Target } from '../targets/target.ts';
import { ALL, type Case, expectSame, type Sample, type Setting } from './case.ts';
import { load } from './lookups.ts';

const SMALL = 1_000;
const EVERYTHING = 'select * from people order by id';
/** No labelled column: those may not be copied out. */
const COPY = 'copy (select id, name, city, born, note from people order by id) to stdout';

/** A thousand rows of six columns, one of them masked. */
export const thousand: readonly Case[] = [1, 8].map((clients) => ({
  name: `rows-1000-${clients}`,
  title: `1,000 rows, one of six columns masked, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
  unit: 'results/s',
  better: 'more',
  per: 'result',
  quick: clients === 8,
  kinds: ALL,
  check: (target, setting) => checkPeople(target, setting.direct, SMALL),
  measure: (target, setting) =>
    load(target, { mode: 'simple', clients, seconds: setting.seconds, script: `${limited(SMALL)};` }, setting),
}));

/** All of `people` on one connection. */
export const large: Case = {
  name: 'rows-large',
  title: 'A large result, one of six columns masked',
  unit: 'rows/s',
  better: 'more',
  per: 'MB',
  quick: true,
  kinds: ALL,
  check: (target, setting) => checkPeople(target, setting.direct, setting.rows),
  measure: (target, setting) => stream(target, setting, EVERYTHING),
};

export const copyOut: Case = {
  name: 'copy-out',
  title: 'COPY out of five columns, none labelled',
  unit: 'rows/s',
  better: 'more',
  per: 'MB',
  quick: true,
  kinds: ALL,
  check: async (target, setting) => {
    const [seen, right] = [await once(target, COPY), await once(setting.direct, COPY)];
    expectSame('rows copied', seen.rows, setting.rows);
    if (!target.hides.finds) expectSame('bytes copied', seen.bytes, right.bytes);
  },
  measure: (target, setting) => stream(target, setting, COPY),
};

function limited(rows: number): string {
  return `${EVERYTHING} limit ${rows}`;
}

async function checkPeople(target: Target, direct: Target, rows: number): Promise<void> {
  const digests: string[] = [];
  for (const one of [target, direct]) {
    const checker = new PeopleChecker(one);
    const client = await RawClient.open(one);
    try {
      await client.ask(limited(rows), checker);
    } finally {
      await client.close();
    }
    expectSame(`rows from ${one.name}`, checker.rows, rows);
    digests.push(checker.digest);
  }
  expectSame('digest of all cells that are not masked', digests[0], digests[1]);
}

async function once(target: Target, text: string): Promise<Counter> {
  const client = await RawClient.open(target);
  const counter = new Counter();
  try {
    await client.ask(text, counter);
  } finally {
    await client.close();
  }
  return counter;
}

/** As often as it fits into the time, at least once. */
async function stream(target: Target, { seconds, rows }: Setting, text: string): Promise<Sample> {
  const client = await RawClient.open(target);
  const begin = performance.now();
  let [seen, bytes, took] = [0, 0, 0];
  try {
    while (took < seconds) {
      const counter = new Counter();
      await client.ask(text, counter);
      expectSame('rows', counter.rows, rows);
      seen += counter.rows;
      bytes += counter.bytes;
      took = (performance.now() - begin) / 1000;
    }
  } finally {
    await client.close();
  }
  return { value: seen / took, count: bytes / 1e6 };
}
