import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aRequest } from '../testing/samples.ts';
import { noticeOf } from './notice.ts';
import { keyOf, signature, webhook } from './webhook.ts';

interface Got {
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let url: string;
let got: Got[];
let answer: (response: ServerResponse, request: IncomingMessage) => void;

beforeEach(async () => {
  got = [];
  answer = (response) => response.writeHead(204).end();
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push({ path: request.url, headers: request.headers, body });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t0psecret`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const delivery = { id: 'delivery-1', destination: 'hook', notice: noticeOf('approval.made', aRequest(), 0), tries: 1 };
const send = (signal: AbortSignal = AbortSignal.timeout(5_000), secret: string = SECRET): Promise<string | undefined> =>
  webhook({
    url,
    secret: async () => secret,
    now: () => 1_700_000_000_123,
    links: () => ({ origin: 'https://gw.example.com' }),
  })(delivery, signal);

describe('a webhook', () => {
  it('gets signed JSON, with what an approver sees and where to answer', async () => {
    await send();
    const { headers, body } = got[0]!;
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'delivery-1',
      'webhook-timestamp': '1700000000',
    });
    const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(`delivery-1.1700000000.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${mac}`);
    expect(JSON.parse(body)).toEqual({
      type: 'approval.made',
      timestamp: '1970-01-01T00:00:00.000Z',
      version: 1,
      data: {
        request: {
          id: '0000000000000000000001',
          state: 'waiting',
          created_at: '2026-10-01T12:00:00.000Z',
          expires_at: '2026-10-01T13:00:00.000Z',
          rules: ['dba'],
          escalated_to: [],
          url: 'https://gw.example.com/approvals/0000000000000000000001',
          command: 'sallyport approvals show 0000000000000000000001',
        },
        asked_by: {
          principal: { id: 'https://id.example|alice', name: 'alice@corp.example' },
          chain: 'alice@corp.example > deploy (attested)',
          purpose: ['JIRA-1234'],
          session: null,
        },
        effect: {
          target: 'shop',
          database: 'shop',
          role: 'app',
          statement: 'delete from orders where id = 7',
          parameters: null,
          verbs: ['delete'],
          resources: ['delete public.orders'],
          labels: [],
          message: 'deleting needs an approval',
          policies: ['delete-held'],
          estimated_rows: null,
          whole: true,
        },
        answers: [],
      },
    });
  });

  it('signs as the specification does', () => {
    // The example of the reference libraries of standardwebhooks.com.
    const key = keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const signed = signature(key, {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      stamp: 1614265330,
      body: '{"test": 2432232314}',
    });
    expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it.each([
    ['an error', (response: ServerResponse) => response.writeHead(500).end('a stack trace'), 'HTTP 500'],
    ['a refusal', (response: ServerResponse) => response.writeHead(410).end(), 'HTTP 410'],
    [
      'a redirect',
      (response: ServerResponse) => response.writeHead(307, { location: '/elsewhere' }).end(),
      'HTTP 307: redirects are not followed',
    ],
    ['an end in the middle', (response: ServerResponse) => response.socket?.destroy(), 'not reached: UND_ERR_SOCKET'],
  ])('fails with %s, without repeating what was said', async (_name, say, message) => {
    answer = say;
    await expect(send()).rejects.toMatchObject({ name: 'SendFailure', message });
    expect(got.map(({ path }) => path)).toEqual(['/hook?token=t0psecret']);
  });

  it('gives up on a receiver that takes it and says nothing', async () => {
    answer = () => undefined;
    await expect(send(AbortSignal.timeout(50))).rejects.toMatchObject({ message: 'no answer in time' });
  });

  it('does not wait for an answer that goes on for ever', async () => {
    answer = (response) => {
      const drip = setInterval(() => response.write('x'.repeat(1000)), 5);
      response.on('close', () => clearInterval(drip));
    };
    await expect(send()).resolves.toBeUndefined();
  });

  it('hears when to come back', async () => {
    answer = (response) => response.writeHead(429, { 'retry-after': '120' }).end();
    await expect(send()).rejects.toMatchObject({ message: 'HTTP 429', retryAfter: 120_000 });
    answer = (response) => response.writeHead(429, { 'retry-after': 'soon' }).end();
    await expect(send()).rejects.toMatchObject({ retryAfter: undefined });
  });

  it('that cannot be reached fails without its address, which may hold a secret', async () => {
    server.close();
    server.closeAllConnections();
    const failure = await send().catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ message: 'not reached: ECONNREFUSED' });
    expect(String(failure)).not.toContain('t0psecret');
  });

  it('is not signed with a secret that can be guessed', async () => {
    await expect(send(undefined, 'hunter2')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(send(undefined, `whsec_${Buffer.alloc(23).toString('base64')}`)).rejects.toThrow(/24 bytes/);
    expect(got).toEqual([]);
  });
});
