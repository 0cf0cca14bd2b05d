import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../core/approval.ts';
import { aRequest } from '../testing/samples.ts';
import { type NoticeType, noticeOf } from './notice.ts';
import { slack, whisperTo } from './slack.ts';
import { readAction } from './slack-action.ts';
import { escaped, slackMessage, whisper } from './slack-message.ts';
import { isPlausible, isSigned, type SlackRequest } from './slack-signature.ts';

const LINKS = { origin: 'https://gw.example.com' };
const PLACE = { url: 'https://gw.example.com/approvals/x', command: 'sallyport approvals show x' };
const message = (request: ApprovalRequest, type: NoticeType = 'approval.made') =>
  slackMessage(noticeOf(type, request, 0), LINKS);
const withStatement = (statement: string): ApprovalRequest => aRequest({ effect: { ...aRequest().effect, statement } });

/** Every element of a message, at any depth. */
function elements(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(elements);
  return Array.isArray(value) ? inner : [{ ...value }, ...inner];
}

const buttons = (request: ApprovalRequest, type?: NoticeType): unknown[] =>
  elements(message(request, type))
    .filter((one) => one['type'] === 'button')
    .map((one) => one['action_id']);

describe('a message', () => {
  it('shows what is wanted and three buttons', () => {
    const { text, blocks } = message(aRequest());
    expect(text).toBe('Approval wanted: delete on shop for alice@corp.example');
    expect(blocks).toMatchObject([
      { type: 'header', text: { type: 'plain_text' } },
      { type: 'rich_text' },
      {
        type: 'actions',
        elements: [
          { action_id: 'approve', value: '0000000000000000000001', style: 'primary' },
          { action_id: 'deny', value: '0000000000000000000001', style: 'danger' },
          { action_id: 'open', url: 'https://gw.example.com/approvals/0000000000000000000001' },
        ],
      },
    ]);
    expect(JSON.stringify(blocks)).toContain('delete from orders where id = 7');
  });

  it.each([
    ['answered in part', aRequest(), 'approval.answered', ['approve', 'deny', 'open']],
    ['approved', aRequest({ state: 'approved' }), 'approval.approved', ['open']],
    ['denied', aRequest({ state: 'denied' }), 'approval.denied', ['open']],
    ['expired', aRequest({ state: 'expired' }), 'approval.expired', ['open']],
  ] as const)('offers only what can be done: %s', (_name, request, type, expected) => {
    expect(buttons(request, type)).toEqual(expected);
  });

  it('cannot approve what it does not show whole', () => {
    expect(buttons(withStatement(`select 1 ${'x'.repeat(2_500)} ; drop table t`))).toEqual(['deny', 'open']);
    expect(buttons(withStatement(`select 1${'\n'.repeat(40)}; drop table t`))).toEqual(['deny', 'open']);
    expect(buttons(withStatement(`select 1${'\n'.repeat(39)}`))).toEqual(['approve', 'deny', 'open']);
    const { effect } = aRequest();
    const parameters = Array.from({ length: 20 }, () => 'x'.repeat(500));
    expect(buttons(aRequest({ effect: { ...effect, parameters } }))).toEqual(['deny', 'open']);
  });

  it('makes no mention, link or format of what comes from elsewhere, and stays within limits', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6_000 }),
      fc.constantFrom('<!channel>', '<@U012ABC3D>', '```\n*Approve*', '<https://evil.example|Open>', '&lt;!here&gt;'),
    );
    fc.assert(
      fc.property(hostile, hostile, (statement, name) => {
        const request = aRequest({
          effect: { ...aRequest().effect, statement, message: name },
          asker: { ...aRequest().asker, principal: { id: 'x|y', name }, chain: name, purpose: [name] },
        });
        const { text, blocks } = message(request);
        expect(text).not.toMatch(/[<>]/);
        for (const element of elements(blocks)) {
          expect(['mrkdwn', 'link', 'user', 'broadcast', 'emoji']).not.toContain(element['type']);
          if (element['type'] === 'text') expect(String(element['text']).length).toBeLessThan(3_000);
        }
        const header = elements(blocks).find((one) => one['type'] === 'plain_text');
        expect(String(header?.['text']).length).toBeLessThanOrEqual(150);
      }),
      { numRuns: 100, interruptAfterTimeLimit: 5_000 },
    );
    expect(escaped('<!channel> & co')).toBe('&lt;!channel&gt; &amp; co');
  });

  it('for one person links to the gateway and to nothing else', () => {
    const links = elements(whisper('no <https://evil.example|here>', PLACE))
      .filter((one) => one['type'] === 'link')
      .map((one) => one['url']);
    expect(links).toEqual(['https://gw.example.com/approvals/x']);
  });
});

describe('a signature', () => {
  const NOW = 1_700_000_000_000;
  const signed = (more: Partial<SlackRequest> = {}, secret = 'shhh'): SlackRequest => {
    const timestamp = more.timestamp ?? String(NOW / 1000);
    const body = more.body ?? Buffer.from('payload=%7B%7D');
    const mac = createHmac('sha256', secret)
      .update(`v0:${timestamp}:${Buffer.from(body).toString()}`)
      .digest('hex');
    return { timestamp, body, signature: `v0=${mac}`, ...more };
  };
  const holds = (request: SlackRequest): boolean => isPlausible(request, NOW) && isSigned(request, 'shhh');

  it('is that of the documentation', () => {
    const body = Buffer.from(
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    );
    const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
    const request = { timestamp: '1531420618', signature, body };
    expect(isSigned(request, '8f742231b10e8888abcd99yyyzzz85a5')).toBe(true);
    expect(isPlausible(request, 1_531_420_618_000 + 299_000)).toBe(true);
    expect(isPlausible(request, 1_531_420_618_000 + 301_000)).toBe(false);
  });

  it.each([
    ['as it was signed', signed(), true],
    ['by another secret', signed({}, 'other'), false],
    ['of an edited body', { ...signed(), body: Buffer.from('payload=%7B%22a%22%7D') }, false],
    ['under another time', { ...signed(), timestamp: String(NOW / 1000 + 1) }, false],
    ['too old', signed({ timestamp: String(NOW / 1000 - 301) }), false],
    ['of the future', signed({ timestamp: String(NOW / 1000 + 301) }), false],
    ['without a time', signed({ timestamp: '' }), false],
    ['with a time that is none', signed({ timestamp: '1e9' }), false],
    ['none', { ...signed(), signature: '' }, false],
    ['cut short', { ...signed(), signature: signed().signature.slice(0, -2) }, false],
    ['of another version', { ...signed(), signature: signed().signature.replace('v0', 'v1') }, false],
    ['in capitals', { ...signed(), signature: signed().signature.toUpperCase() }, false],
  ])('holds or does not: %s', (_name, request, expected) => {
    expect(holds(request)).toBe(expected);
  });

  it('is of every byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.nat(), (body, at) => {
        const request = {
          timestamp: String(NOW / 1000),
          body,
          signature: `v0=${createHmac('sha256', 'shhh')
            .update(`v0:${NOW / 1000}:`)
            .update(body)
            .digest('hex')}`,
        };
        expect(holds(request)).toBe(true);
        const other = body.map((byte, index) => (index === at % body.length ? byte ^ 1 : byte));
        expect(holds({ ...request, body: other })).toBe(false);
      }),
    );
  });
});

describe('an action', () => {
  const payload = (more: object = {}): string =>
    JSON.stringify({
      type: 'block_actions',
      user: { id: 'U012ABC3D' },
      channel: { id: 'C1' },
      trigger_id: '1.2.3',
      actions: [{ action_id: 'approve', value: '0000000000000000000001' }],
      ...more,
    });

  it('is read', () => {
    expect(readAction(payload())).toEqual({
      trigger: '1.2.3',
      user: 'U012ABC3D',
      channel: 'C1',
      request: '0000000000000000000001',
      verdict: 'approve',
    });
  });

  it.each([
    ['of another kind', payload({ type: 'view_submission' })],
    ['that opens a page', payload({ actions: [{ action_id: 'open' }] })],
    ['that nobody here made', payload({ actions: [{ action_id: 'break-glass', value: 'x' }] })],
  ])('asks nothing: %s', (_name, text) => {
    expect(readAction(text)).toBeUndefined();
  });

  it.each([
    ['two at once', payload({ actions: [{ action_id: 'deny' }, { action_id: 'approve' }] })],
    ['about no request', payload({ actions: [{ action_id: 'deny', value: "1' or '1" }] })],
    ['without a user', payload({ user: {} })],
    ['without a trigger', payload({ trigger_id: 7 })],
    ['with a list for a user', payload({ user: [] })],
    ['not JSON', '{'],
  ])('is refused: %s', (_name, text) => {
    expect(() => readAction(text)).toThrow(expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }));
  });

  it('of any other text throws nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          readAction(text);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'PROTOCOL_MALFORMED' });
        }
      }),
    );
  });
});

describe('the API of Slack', () => {
  let server: Server;
  let url: string;
  let calls: { method: string; token: string | undefined; body: Record<string, unknown> }[];
  let answers: Record<string, unknown>;

  beforeEach(async () => {
    calls = [];
    answers = { 'chat.postMessage': { ok: true, channel: 'C1', ts: '17.1' }, 'chat.update': { ok: true } };
    server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => {
        text += chunk;
      });
      request.on('end', () => {
        const method = (request.url ?? '').slice(1);
        calls.push({ method, token: request.headers.authorization, body: JSON.parse(text) });
        response.end(JSON.stringify(answers[method] ?? { ok: true }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const send = (type: NoticeType, receipt?: string): Promise<string | undefined> =>
    slack({
      url,
      token: async () => 'xoxb-1',
      channel: '#approvals',
      links: () => LINKS,
      receipt: async () => receipt,
    })({ id: 'd', destination: 's', notice: noticeOf(type, aRequest(), 0), tries: 1 }, AbortSignal.timeout(5_000));

  it('gets one message, which changes with the request', async () => {
    const receipt = await send('approval.made');
    expect(receipt).toBe('C1/17.1');
    await expect(send('approval.approved', receipt)).resolves.toBeUndefined();
    expect(calls.map(({ method, token, body }) => [method, token, body['channel'], body['ts']])).toEqual([
      ['chat.postMessage', 'Bearer xoxb-1', '#approvals', undefined],
      ['chat.update', 'Bearer xoxb-1', 'C1', '17.1'],
    ]);
    expect(calls[0]?.body).toMatchObject({ parse: 'none', link_names: false, unfurl_links: false });
  });

  it('is told aloud of what nobody may overlook', async () => {
    await send('approval.escalated', 'C1/17.1');
    expect(calls.map(({ method }) => method)).toEqual(['chat.update', 'chat.postMessage']);
    expect(calls[1]?.body).toMatchObject({ thread_ts: '17.1', reply_broadcast: true });
  });

  it('gets a new message where the first was deleted or never came', async () => {
    answers['chat.update'] = { ok: false, error: 'message_not_found' };
    await expect(send('approval.approved', 'C1/17.1')).resolves.toBe('C1/17.1');
    await expect(send('approval.approved')).resolves.toBe('C1/17.1');
    expect(calls.map(({ method }) => method)).toEqual(['chat.update', 'chat.postMessage', 'chat.postMessage']);
  });

  it.each([
    [{ ok: false, error: 'channel_not_found' }, 'Slack says channel_not_found'],
    [{ ok: false, error: 'see <https://evil.example>' }, 'Slack says something else than yes'],
    [[], 'Slack says something else than yes'],
  ])('that says %j is asked again later', async (answer, text) => {
    answers['chat.postMessage'] = answer;
    await expect(send('approval.made')).rejects.toMatchObject({ name: 'SendFailure', message: text });
  });

  it('whispers', async () => {
    const to = { channel: 'C1', user: 'U1', message: whisper('hello', PLACE) };
    await whisperTo({ url, token: async () => 'xoxb-1' }, to, AbortSignal.timeout(5_000));
    expect(calls).toMatchObject([{ method: 'chat.postEphemeral', body: { channel: 'C1', user: 'U1', text: 'hello' } }]);
  });
});
