import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answered } from '../../src/approvals/request.ts';
import { aRule } from '../../src/approvals/testing/requests.ts';
import type { Hold } from '../../src/core/decision.ts';
import type { Operation } from '../../src/core/operation.ts';
import type { Patience } from '../../src/core/session.ts';
import type { Asked } from '../../src/data/gate.ts';
import { Holds } from '../../src/data/holds/holds.ts';
import { agent, alice, chainOf, engineFor } from '../../src/policy/testing/chain.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { systemClock, systemRandom } from '../../src/wiring/system.ts';
import type { Part } from './part.ts';

/** Holds at once. */
const MANY = 500;
const ANSWERS = 20;

const hold: Hold = {
  effect: 'hold',
  policies: ['ask'],
  obligations: [],
  rules: ['dba'],
  message: 'ddl needs approval',
};
const bob = {
  by: { id: 'idp|bob', name: 'Bob', groups: ['dba'] },
  verdict: 'approve',
  reason: '',
  scope: 'once',
} as const;

/** Waits whatever happens: what a driver adds to it is measured where there is one. */
const patient: Patience = {
  settle: async () => true,
  tell: () => undefined,
  unchanged: async () => true,
  signal: new AbortController().signal,
};

function statement(n: number): Operation {
  const text = `DROP TABLE archive_${n}`;
  const facts = { statements: [], fingerprint: text, normalised: text };
  return { protocol: 'postgres', text, parameters: undefined, facts, database: 'shop', role: 'app', searchPath: [] };
}

/** From an answer to the moment its hold lets go, while hundreds of others wait; two nodes on one store. */
export const holds: Part = {
  name: 'holds',
  title: `Holds: ${MANY} at once on each of two nodes that share a store`,
  unit: 'ms',
  better: 'less',
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-part-'));
    const options = { integrityKey: new Uint8Array(32).fill(1), clock: systemClock };
    const near = await openStore({ at: { embedded: directory }, ...options });
    const url = `postgres://sallyport@localhost/postgres?host=${encodeURIComponent(join(directory, 'postgres', 'run'))}`;
    const far = await openStore({ at: { url }, ...options });
    let asked = 0;
    return {
      measure: async () => {
        const here = await waitingOn(near, asked);
        const there = await waitingOn(far, asked + MANY);
        asked += 2 * MANY;
        const readings = [
          { of: `asking, each of ${MANY}`, value: here.asking / MANY },
          { of: 'released on the node that was asked, slowest of 20', value: await released(near, here.all) },
          { of: 'released on the other node, slowest of 20', value: await released(near, there.all) },
        ];
        await Promise.all([here.end(), there.end()]);
        return readings;
      },
      close: async () => {
        await far.close();
        await near.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

interface Held {
  readonly asked: Asked;
  readonly answer: Promise<unknown>;
}

async function waitingOn(store: Store, from: number) {
  const ended = new AbortController();
  const desk = new Holds({
    store: store.approvals,
    feed: store.feed,
    clock: systemClock,
    random: systemRandom,
    engine: engineFor('@id("ask") @approval("dba") forbid (principal, action, resource);'),
    rules: () => [aRule({ name: 'dba' })],
    estimate: async () => undefined,
    patience: () => 600_000,
  });
  const session = {
    id: 's',
    chain: chainOf({ ...alice, id: `${alice.id}${from}` }, [{ agent: agent('ci') }]),
    target: { name: 'shop' },
    signal: ended.signal,
  };
  const began = performance.now();
  const all = await Promise.all(
    Array.from({ length: MANY }, async (_, n): Promise<Held> => {
      const asked = await desk.ask(session, statement(from + n), hold);
      const answer = asked.answer(patient);
      answer.catch(() => undefined); // whoever waits for it hears of it
      return { asked, answer };
    }),
  );
  const asking = performance.now() - began;
  const end = async (): Promise<void> => {
    ended.abort();
    await Promise.all(all.map(({ answer }) => answer));
    desk.close();
  };
  return { all, asking, end };
}

async function released(store: Store, all: readonly Held[]): Promise<number> {
  let slowest = 0;
  for (const { asked, answer } of all.slice(0, ANSWERS)) {
    await store.approvals.change(asked.request, (request, now) => answered(request, bob, now));
    const decided = performance.now();
    if ((await answer) !== 'approved') throw new Error('an approved hold was not released');
    slowest = Math.max(slowest, performance.now() - decided);
  }
  return slowest;
}
