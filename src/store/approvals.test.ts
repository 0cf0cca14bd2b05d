import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewRequest } from '../approvals/ports.ts';
import { answered, redeemed, withdrawn } from '../approvals/request.ts';
import { aRule, asked } from '../approvals/testing/requests.ts';
import { type Db, openDatabase } from './database.ts';
import { freshId } from './testing/samples.ts';
import { type ScratchStore, scratchStore } from './testing/scratch.ts';

let scratch: ScratchStore;
/** The same database past the store, as somebody who has stolen into it. */
let raw: Db;

beforeAll(async () => {
  scratch = await scratchStore();
  raw = openDatabase({ host: `${scratch.data}/postgres/run`, user: 'sallyport', database: 'postgres' }, 4);
});
afterAll(async () => {
  await raw.destroy();
  await scratch.close();
});

const bob = {
  by: { id: 'idp|bob', name: 'Bob', groups: ['dba'] },
  verdict: 'approve',
  reason: '',
  scope: 'once',
} as const;

function fresh(digest: string, more: Partial<NewRequest> = {}): NewRequest {
  return asked({ id: freshId(), digest, ...more });
}

const wanted = (digest: string) => ({ digest, alike: undefined, around: 'a1', session: 's1' });

describe('requests', () => {
  it('are one for the same effect, also where two ask at once', async () => {
    const { approvals } = scratch.store;
    const made = await Promise.all([1, 2, 3].map(() => approvals.open(wanted('same'), fresh('same'))));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const other = await approvals.open(wanted('other'), fresh('other'));
    expect(other.id).not.toBe(made[0]?.id);
    await expect(approvals.find(other.id)).resolves.toEqual(other);
  });

  it('are made anew once the last one is settled, and found where it was approved', async () => {
    const { approvals } = scratch.store;
    const first = await approvals.open(wanted('again'), fresh('again'));
    await approvals.change(first.id, (request, now) => answered(request, bob, now));
    expect((await approvals.open(wanted('again'), fresh('again'))).id).toBe(first.id);
    await approvals.change(first.id, (request, now) => redeemed(request, wanted('again'), now));
    expect((await approvals.open(wanted('again'), fresh('again'))).id).not.toBe(first.id);
  });

  it('are used by one of many', async () => {
    const { approvals } = scratch.store;
    const { id } = await approvals.open(wanted('race'), fresh('race'));
    await approvals.change(id, (request, now) => answered(request, bob, now));
    let won = 0;
    await Promise.all(
      Array.from({ length: 12 }, () =>
        approvals.change(id, (request, now) => {
          const next = redeemed(request, wanted('race'), now);
          if (next !== undefined) won += 1;
          return next;
        }),
      ),
    );
    expect(won).toBe(1);
    await expect(approvals.find(id)).resolves.toMatchObject({ state: 'used', uses: 1 });
  });

  it('are either approved or withdrawn', async () => {
    const { approvals } = scratch.store;
    for (let round = 0; round < 10; round++) {
      const { id } = await approvals.open(wanted(`either${round}`), fresh(`either${round}`));
      const both = await Promise.allSettled([
        approvals.change(id, (request, now) => answered(request, bob, now)),
        approvals.change(id, withdrawn),
      ]);
      const { state } = (await approvals.find(id)) ?? {};
      const done = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value.state] : []));
      expect(done).toContain(state);
    }
  });

  it.each([
    ['the access of an approver', { kind: 'principal', id: 'idp|bob' }],
    ['the group they answered for', { kind: 'membership', id: 'idp|bob', group: 'dba' }],
  ] as const)('lose the answers of whoever lost %s meanwhile', async (name, subject) => {
    const { approvals, grants } = scratch.store;
    const { id } = await approvals.open(wanted(name), fresh(name));
    await approvals.change(id, (request, now) => answered(request, bob, now));
    await grants.revoke(subject, 'dave', 'left');
    const use = approvals.change(id, (request, now) => redeemed(request, wanted(name), now));
    await expect(use).resolves.toMatchObject({ state: 'waiting', answers: [], uses: 0 });
    expect((await approvals.open(wanted(name), fresh(name))).state).toBe('waiting');
    const carl = { ...bob, by: { id: 'idp|carl', name: 'Carl', groups: ['dba'] } };
    await approvals.change(id, (request, now) => answered(request, carl, now));
    await expect(approvals.change(id, (request, now) => redeemed(request, wanted(name), now))).resolves.toMatchObject({
      state: 'used',
    });
  });

  it('expire by the store’s clock', async () => {
    const { approvals } = scratch.store;
    const { id } = await approvals.open(wanted('short'), fresh('short', { lasts: 1, rules: [aRule()] }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(approvals.find(id)).resolves.toMatchObject({ state: 'expired' });
    await expect(approvals.change(id, (request, now) => answered(request, bob, now))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect((await approvals.list({ states: ['waiting'], limit: 100 })).map((each) => each.id)).not.toContain(id);
    expect((await approvals.list({ states: ['expired'], limit: 100 })).map((each) => each.id)).toContain(id);
  });

  it('wait a thousand at once for one person, and no more', { timeout: 60_000 }, async () => {
    const { approvals } = scratch.store;
    const { asker } = fresh('x');
    const flooding = { ...asker, principal: { id: 'idp|flood', name: 'flood' } };
    const open = (n: number) => approvals.open(wanted(`flood${n}`), fresh(`flood${n}`, { asker: flooding }));
    for (let n = 0; n < 1_000; n += 4) await Promise.all([0, 1, 2, 3].map((more) => open(n + more)));
    await expect(open(1_000)).rejects.toMatchObject({ code: 'CONFLICT' });
    // One that waits already is found, and others are not in the way.
    expect((await open(7)).state).toBe('waiting');
    await expect(approvals.open(wanted('beside'), fresh('beside'))).resolves.toMatchObject({ state: 'waiting' });
  });

  it('are told of on the feed', async () => {
    const { approvals, feed } = scratch.store;
    const heard: string[] = [];
    const stop = feed.subscribe((entry) => {
      if (entry.kind === 'approval') heard.push(`${entry.id} ${entry.state}`);
    });
    const { id } = await approvals.open(wanted('told'), fresh('told'));
    await approvals.change(id, (request, now) => answered(request, bob, now));
    await expect.poll(() => heard).toEqual([`${id} approved`]);
    stop();
  });
});

describe('somebody who writes into the table', () => {
  it.each([
    ['edits an answer', (body: string) => body.replace('"waiting"', '"approved"'), 'approved'],
    ['edits the statement', (body: string) => body.replace('orders', 'carts'), 'waiting'],
    ['edits the column only', (body: string) => body, 'approved'],
  ])('gets nothing: %s', async (name, edit, state) => {
    const { approvals } = scratch.store;
    const { id } = await approvals.open(wanted(name), fresh(name));
    const row = await raw.selectFrom('approvals').select('body').where('id', '=', id).executeTakeFirstOrThrow();
    await sql`update approvals set body = ${edit(row.body)}, state = ${state} where id = ${id}`.execute(raw);
    await expect(approvals.find(id)).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
    await expect(approvals.open(wanted(name), fresh(name))).rejects.toMatchObject({ code: 'EVIDENCE_BROKEN' });
    await raw.deleteFrom('approvals').where('id', '=', id).execute();
  });
});
