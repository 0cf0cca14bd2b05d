import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Courier } from '../approvals/notify/courier.ts';
import { SendFailure } from '../approvals/notify/destination.ts';
import { NOTICE_TYPES } from '../approvals/notify/notice.ts';
import type { Delivery } from '../approvals/notify/ports.ts';
import { TRIES } from '../approvals/notify/schedule.ts';
import { withdrawn } from '../approvals/request.ts';
import { aRule, wanting } from '../approvals/testing/samples.ts';
import type { ApprovalRequest, ApprovalRule } from '../core/approval.ts';
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
beforeEach(async () => {
  await sql`truncate notices, deliveries, approvals`.execute(raw);
});

const ask = async (rule: Partial<ApprovalRule> = {}): Promise<ApprovalRequest> => {
  const id = freshId();
  const { wanted, fresh } = wanting(id, [aRule(rule)]);
  return await scratch.store.approvals.open(wanted, fresh);
};
const all = (): readonly string[] => ['hook', 'mail'];
const claim = (most: number, lease = 30_000): Promise<readonly Delivery[]> =>
  scratch.store.deliveries.claim([{ destination: 'hook', free: most }], 0, lease);
const states = async (): Promise<string[]> =>
  (await scratch.store.deliveries.list({ limit: 100 })).map((one) => `${one.destination} ${one.type} ${one.state}`);

describe('what is told', () => {
  it('is written with the change, once for each destination, and only of what shows', async () => {
    const { deliveries } = scratch.store;
    const request = await ask();
    await expect(deliveries.route(all)).resolves.toBe(1);
    await expect(deliveries.route(all)).resolves.toBe(0);
    expect((await states()).sort()).toEqual(['hook approval.made waiting', 'mail approval.made waiting']);
    const [delivery] = await claim(1);
    expect(delivery?.notice).toMatchObject({ type: 'approval.made', request: { id: request.id, state: 'waiting' } });
    expect(JSON.stringify(delivery)).not.toContain(request.digest);
  });

  it('is nothing where the change is not made', async () => {
    const request = await ask();
    await scratch.store.deliveries.route(() => []);
    const failing = scratch.store.approvals.change(request.id, () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow();
    await scratch.store.approvals.change(request.id, () => undefined);
    await expect(scratch.store.deliveries.route(all)).resolves.toBe(0);
  });

  it('keeps its order: of one request, the next waits until the one before is through', async () => {
    const request = await ask();
    await scratch.store.approvals.change(request.id, withdrawn);
    await scratch.store.deliveries.route(all);
    const [first, ...none] = await claim(10);
    expect([first?.notice.type, none.length]).toEqual(['approval.made', 0]);
    await expect(claim(10)).resolves.toEqual([]);
    await scratch.store.deliveries.settle(first!, { kind: 'sent' });
    expect((await claim(10)).map((one) => one.notice.type)).toEqual(['approval.withdrawn']);
  });

  it('comes later where it is to, if it is still true', async () => {
    const { deliveries, approvals } = scratch.store;
    const answered = await ask({ escalate: { after: 60, groups: ['managers'] } });
    const forgotten = await ask({ escalate: { after: 60, groups: ['managers'] } });
    await approvals.change(answered.id, withdrawn);
    await deliveries.route(() => []);
    await sql`update notices set due_at = now_ms()`.execute(raw);
    const told: string[] = [];
    await deliveries.route(({ type, request }) => {
      told.push(`${type} ${request.id}`);
      return [];
    });
    // Neither has expired yet by the store's clock, and one is not waiting any more.
    expect(told).toEqual([`approval.escalated ${forgotten.id}`]);
    await expect(deliveries.route(all)).resolves.toBe(0);
  });

  it('is told to nobody when somebody else than a gateway wrote it', async () => {
    await ask();
    await sql`update notices set body = replace(body, 'waiting', 'approved') where body is not null`.execute(raw);
    await scratch.store.deliveries.route(all);
    await expect(states()).resolves.toEqual([]);

    await ask();
    await scratch.store.deliveries.route(all);
    await sql`update deliveries set body = replace(body, 'waiting', 'approved')`.execute(raw);
    await expect(claim(10)).resolves.toEqual([]);
    expect((await states()).filter((one) => one.startsWith('hook'))).toEqual(['hook approval.made dead']);
  });
});

describe('a delivery', () => {
  it('is taken by one of many, and comes again when its taker is gone', async () => {
    for (let count = 0; count < 12; count++) await ask();
    await scratch.store.deliveries.route(() => ['hook']);
    const taken = (await Promise.all(Array.from({ length: 8 }, () => claim(3)))).flat();
    expect(new Set(taken.map((one) => one.id)).size).toBe(taken.length);
    const rest = await claim(20, 0);
    expect(taken.length + rest.length).toBe(12);
    const again = await claim(20);
    expect(again.map((one) => one.id).sort()).toEqual(rest.map((one) => one.id).sort());
    expect(again.every((one) => one.tries === 2)).toBe(true);
  });

  it('is not settled by whoever came too late', async () => {
    await ask();
    await scratch.store.deliveries.route(() => ['hook']);
    const [late] = await claim(1, 0);
    const [now] = await claim(1);
    await expect(scratch.store.deliveries.settle(late!, { kind: 'dead', error: 'late' })).resolves.toBe(false);
    await expect(scratch.store.deliveries.settle(late!, { kind: 'failed', error: 'late', again: 0 })).resolves.toBe(
      false,
    );
    await expect(scratch.store.deliveries.settle(now!, { kind: 'sent', receipt: '1.2' })).resolves.toBe(true);
    await expect(scratch.store.deliveries.settle(now!, { kind: 'sent' })).resolves.toBe(false);
    await expect(scratch.store.deliveries.receipt('hook', now!.notice.request.id)).resolves.toBe('1.2');
  });

  it('that came through late is through', async () => {
    await ask();
    await scratch.store.deliveries.route(() => ['hook']);
    const [late] = await claim(1, 0);
    const [now] = await claim(1);
    await expect(scratch.store.deliveries.settle(late!, { kind: 'sent' })).resolves.toBe(true);
    await expect(scratch.store.deliveries.settle(now!, { kind: 'dead', error: 'x' })).resolves.toBe(false);
  });

  it('that is dead is tried again from the start when somebody says so, and only then', async () => {
    const { deliveries } = scratch.store;
    await ask();
    await deliveries.route(() => ['hook']);
    const [delivery] = await claim(1);
    await expect(deliveries.retry(delivery!.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await deliveries.settle({ ...delivery!, tries: 1 }, { kind: 'dead', error: 'HTTP 500' });
    await expect(deliveries.list({ state: 'dead', limit: 5 })).resolves.toMatchObject([{ error: 'HTTP 500' }]);
    await expect(claim(1)).resolves.toEqual([]);
    await expect(deliveries.retry(delivery!.id)).resolves.toMatchObject({ state: 'waiting', tries: 0 });
    await expect(claim(1)).resolves.toMatchObject([{ id: delivery!.id, tries: 1 }]);
    await expect(deliveries.retry(freshId())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('that fails waits, and is counted', async () => {
    await ask();
    await scratch.store.deliveries.route(() => ['hook']);
    for (let tries = 1; tries <= TRIES + 1; tries++) {
      const [delivery] = await claim(1);
      expect(delivery?.tries).toBe(tries);
      await scratch.store.deliveries.settle(delivery!, { kind: 'failed', error: 'x', again: 0 });
    }
    const [delivery] = await claim(1);
    await scratch.store.deliveries.settle(delivery!, { kind: 'failed', error: 'x', again: 60_000 });
    await expect(claim(1)).resolves.toEqual([]);
  });

  it('to somebody nobody knows any more is given as one of the others', async () => {
    await ask();
    await scratch.store.deliveries.route(() => ['hook', 'gone']);
    const claimed = await scratch.store.deliveries.claim([{ destination: 'hook', free: 0 }], 5, 1000);
    expect(claimed.map((one) => one.destination)).toEqual(['gone']);
  });
});

it('is carried once each by two couriers that share it', async () => {
  const got: string[] = [];
  const courier = (): Courier =>
    new Courier({
      store: scratch.store.deliveries,
      destinations: () => [
        {
          name: 'hook',
          events: NOTICE_TYPES,
          rules: undefined,
          send: async ({ notice, tries }) => {
            await sleep(2);
            if (notice.type === 'approval.made' && tries === 1 && got.length % 5 === 0)
              throw new SendFailure('busy', 0);
            got.push(`${notice.request.id} ${notice.type}`);
            return undefined;
          },
        },
      ],
      random: { bytes: (length) => new Uint8Array(length) },
      onDead: () => Promise.reject(new Error('dead')),
      onFailed: ({ id }) => void sql`update deliveries set next_at = now_ms() where id = ${id}`.execute(raw),
      onProblem: (fault) => got.push(`problem ${fault.message}`),
    });
  const couriers = [courier(), courier()];
  for (const each of couriers) each.start();
  const requests = await Promise.all(Array.from({ length: 20 }, () => ask()));
  for (const { id } of requests) await scratch.store.approvals.change(id, withdrawn);
  await expect
    .poll(async () => (await states()).filter((one) => one.endsWith('sent')).length, { timeout: 15_000 })
    .toBe(40);
  await Promise.all(couriers.map((each) => each.close()));
  for (const { id } of requests) {
    const told = got.filter((one) => one.startsWith(id));
    expect(told).toEqual([`${id} approval.made`, `${id} approval.withdrawn`]);
  }
  expect(got).toHaveLength(40);
});
