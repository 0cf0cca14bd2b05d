import { beforeEach, describe, expect, it } from 'vitest';
import { noticeOf } from '../approvals/notify/notice.ts';
import { aRequest } from '../approvals/testing/samples.ts';
import { createApp } from './app.ts';
import { FakeControl, grantOf, person } from './testing/fakes.ts';

let fake: FakeControl;
let app: ReturnType<typeof createApp>;

beforeEach(async () => {
  fake = new FakeControl();
  fake.add('dave', grantOf('dave', { principal: person('dave') }));
  fake.add('erin', grantOf('erin', { principal: person('erin') }));
  fake.add('alice', grantOf('alice'));
  app = createApp({ ports: fake.ports(), isLocal: () => false, onFault: () => undefined });
  for (const id of ['r1', 'r2']) fake.deliveries.notices.push(noticeOf('approval.made', aRequest({ id }), fake.now));
  await fake.deliveries.route(() => ['hook']);
  const [first] = await fake.deliveries.claim([{ destination: 'hook', free: 1 }], 0, 1_000);
  if (first !== undefined) await fake.deliveries.settle(first, { kind: 'dead', error: 'HTTP 500' });
});

const DEAD = 'd0'.padStart(22, '0');
const ask = async (method: 'GET' | 'POST', url: string, as: string) =>
  await app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${as}` },
    ...(method === 'POST' ? { payload: {} } : {}),
  });

describe('deliveries', () => {
  it('are listed by state', async () => {
    const answer = await ask('GET', '/v1/deliveries?state=dead', 'dave');
    expect(answer.json()).toEqual({
      deliveries: [
        {
          id: DEAD,
          destination: 'hook',
          type: 'approval.made',
          request: 'r1',
          state: 'dead',
          tries: 1,
          created_at: '1970-01-01T00:00:00.000Z',
          next_at: null,
          error: 'HTTP 500',
        },
      ],
    });
    expect((await ask('GET', '/v1/deliveries', 'dave')).json().deliveries).toHaveLength(2);
  });

  it('are tried again when an administrator says so, which is written down', async () => {
    expect((await ask('POST', `/v1/deliveries/${DEAD}/retry`, 'dave')).json()).toMatchObject({
      state: 'waiting',
      tries: 0,
    });
    expect(fake.events).toMatchObject([
      { type: 'delivery.retried', delivery: DEAD, by: 'https://id.example|dave', request: 'r1' },
    ]);
    expect((await ask('POST', `/v1/deliveries/${DEAD}/retry`, 'dave')).statusCode).toBe(409);
    expect((await ask('POST', `/v1/deliveries/${'x'.repeat(22)}/retry`, 'dave')).statusCode).toBe(404);
  });

  it.each(['alice', 'erin'])('are nothing for %s', async (who) => {
    expect((await ask('GET', '/v1/deliveries', who)).statusCode).toBe(403);
    expect((await ask('POST', `/v1/deliveries/${DEAD}/retry`, who)).statusCode).toBe(403);
    expect(fake.events).toEqual([]);
  });
});
