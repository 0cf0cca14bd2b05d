import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDeliveries } from '../testing/deliveries.ts';
import { aRequest } from '../testing/samples.ts';
import { Courier } from './courier.ts';
import { type Destination, type Send, SendFailure } from './destination.ts';
import { NOTICE_TYPES, type Notice, type NoticeType, noticeOf } from './notice.ts';
import { afterFailure, LEASE, TRIES } from './schedule.ts';

const D0 = 'd0'.padStart(22, '0');

let now: number;
let store: MemoryDeliveries;
let dead: string[];
let problems: string[];

beforeEach(() => {
  now = 1_000_000;
  store = new MemoryDeliveries(() => now);
  dead = [];
  problems = [];
});

const notice = (id: string, type: NoticeType = 'approval.made'): Notice => noticeOf(type, aRequest({ id }), now);
const destination = (name: string, send: Send, more: Partial<Destination> = {}): Destination => ({
  name,
  events: NOTICE_TYPES,
  rules: undefined,
  send,
  ...more,
});
const courierOf = (destinations: readonly Destination[], within = 1_000): Courier =>
  new Courier({
    store,
    destinations: () => destinations,
    random: { bytes: (length) => new Uint8Array(length) },
    onDead: async ({ id }, error) => void dead.push(`${id} ${error}`),
    onFailed: () => undefined,
    onProblem: (fault) => void problems.push(fault.code),
    within,
  });

describe('the schedule', () => {
  it('grows from ten seconds to an hour, ten tries in some three hours, and then ends', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 9, maxLength: 9 }), (luck) => {
        const waits = luck.map((one, index) => afterFailure(index + 1, 'x', { luck: one }));
        expect(waits.every((wait) => wait.kind === 'failed')).toBe(true);
        const total = waits.reduce((sum, wait) => sum + (wait.kind === 'failed' ? wait.again : 0), 0);
        expect(total).toBeGreaterThan(2 * 3_600_000);
        expect(total).toBeLessThan(4 * 3_600_000);
        expect(waits[0]).toMatchObject({ again: expect.toSatisfy((wait: number) => wait >= 8_000 && wait <= 12_000) });
      }),
    );
    expect(afterFailure(TRIES, 'x', { luck: 0 })).toEqual({ kind: 'dead', error: 'x' });
  });

  it('waits as long as the receiver asks, within reason', () => {
    expect(afterFailure(1, 'x', { luck: 0, asked: 60_000 })).toMatchObject({ again: 60_000 });
    expect(afterFailure(1, 'x', { luck: 0, asked: 1_000 })).toMatchObject({ again: 8_000 });
    expect(afterFailure(1, 'x', { luck: 0, asked: 1e12 })).toMatchObject({ again: 3_600_000 });
    expect(afterFailure(1, 'x', { luck: 0, asked: -5 })).toMatchObject({ again: 8_000 });
  });
});

describe('the courier', () => {
  it('loses nothing and tries nothing too often, whatever receivers and other workers do', async () => {
    const deed = fc.constantFrom('take', 'fail', 'fail', 'throw', 'vanish', 'never');
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), async (deeds, count) => {
        store = new MemoryDeliveries(() => now);
        dead = [];
        const left = [...deeds];
        const taken = new Set<string>();
        const tries = new Map<string, number>();
        const courier = courierOf(
          [
            destination('hook', async ({ id }, signal) => {
              tries.set(id, (tries.get(id) ?? 0) + 1);
              switch (left.shift() ?? 'fail') {
                case 'take':
                  taken.add(id);
                  return undefined;
                case 'throw':
                  throw new Error('bug');
                case 'never':
                  return await new Promise(() => signal.throwIfAborted());
                case 'vanish':
                  // Another worker had it and died: its try is counted, and nobody says how it ended.
                  now += LEASE;
                  await store.claim([{ destination: 'hook', free: 1 }], 0, LEASE);
                  throw new SendFailure('HTTP 500');
                default:
                  throw new SendFailure('HTTP 500');
              }
            }),
          ],
          1,
        );
        for (let index = 0; index < count; index++) store.notices.push(notice(`r${index % 3}`));
        for (let rounds = 0; rounds < 400; rounds++) {
          await courier.round();
          await courier.idle();
          now += 3_700_000;
        }
        const states = [...store.kept.values()];
        expect(states).toHaveLength(count);
        for (const { delivery, state } of states) {
          expect(state).toBe(taken.has(delivery.id) ? 'sent' : 'dead');
          expect(tries.get(delivery.id) ?? 0).toBeLessThanOrEqual(TRIES);
        }
        expect(dead).toHaveLength(states.filter(({ state }) => state === 'dead').length);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 8_000 },
    );
  });

  it('keeps a receiver that hangs from nobody else', async () => {
    const got: string[] = [];
    let hanging = 0;
    const courier = courierOf([
      destination('hung', async (_delivery, signal) => {
        hanging++;
        await new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
        return undefined;
      }),
      destination('fine', async ({ notice: told }) => {
        got.push(told.request.id);
        return undefined;
      }),
    ]);
    for (let index = 0; index < 10; index++) store.notices.push(notice(`r${index}`));
    for (let rounds = 0; rounds < 5; rounds++) {
      await courier.round();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(got).toHaveLength(10);
    expect(hanging).toBe(4);
    await courier.close();
    // What was broken off is nobody's failure: it comes again when its lease is over.
    expect([...store.kept.values()].filter(({ delivery }) => delivery.destination === 'hung')).toSatisfy(
      (all: { state: string; error?: string }[]) => all.every((one) => one.state === 'waiting' && !one.error),
    );
  });

  it('ends a try in time also where the sender does not listen', async () => {
    const courier = courierOf([destination('deaf', () => new Promise(() => undefined))], 20);
    store.notices.push(notice('r'));
    await courier.round();
    await courier.idle();
    await expect(store.list({ limit: 1 })).resolves.toMatchObject([{ error: 'no answer within 0.02 s', tries: 1 }]);
  });

  it('gives up what was tried often enough, also where nobody came to say how it ended', async () => {
    const courier = courierOf([destination('hook', () => Promise.reject(new Error('not asked')))]);
    store.notices.push(notice('r'));
    await store.route(() => ['hook']);
    for (let tries = 1; tries <= TRIES; tries++) {
      await store.claim([{ destination: 'hook', free: 1 }], 0, LEASE);
      now += LEASE;
    }
    await courier.round();
    await courier.idle();
    expect(dead).toEqual([`${D0} the gateway stopped during the last try`]);
  });

  it('tells of what nobody is configured for any more, until it is dead', async () => {
    const gone = courierOf([destination('old', async () => undefined)]);
    store.notices.push(notice('r'));
    await store.route(() => ['old']);
    const courier = courierOf([]);
    for (let rounds = 0; rounds < 20; rounds++) {
      await courier.round();
      await courier.idle();
      now += 3_700_000;
    }
    expect(dead).toEqual([`${D0} there is no such destination in the configuration`]);
    await gone.close();
  });

  it('routes by event and by rule', async () => {
    const courier = courierOf([
      destination('made', async () => undefined, { events: ['approval.made'] }),
      destination('others', async () => undefined, { rules: ['ops'] }),
      destination('dba', async () => undefined, { rules: ['ops', 'dba'] }),
    ]);
    store.notices.push(notice('r'), notice('r', 'approval.denied'));
    await courier.round();
    const routed = [...store.kept.values()].map(({ delivery }) => `${delivery.destination} ${delivery.notice.type}`);
    expect(routed).toEqual(['made approval.made', 'dba approval.made', 'dba approval.denied']);
    await courier.close();
  });

  it('goes on when the store is back, and says once that it was away', async () => {
    const sent: string[] = [];
    const courier = courierOf([
      destination('hook', async ({ id }) => {
        sent.push(id);
        return undefined;
      }),
    ]);
    const route = store.route.bind(store);
    store.route = async () => {
      throw new Error('away');
    };
    courier.start();
    await expect.poll(() => problems).toEqual(['INTERNAL']);
    store.notices.push(notice('r'));
    store.route = route;
    await expect.poll(() => sent, { timeout: 3_000 }).toEqual([D0]);
    store.notices.push(notice('s'));
    courier.stir();
    await expect.poll(() => sent, { timeout: 500 }).toHaveLength(2);
    await courier.close();
    expect(problems).toEqual(['INTERNAL']);
  });
});
