import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SmtpServer, smtpServer } from '../src/approvals/testing/smtp-server.ts';
import { serve } from '../src/main.ts';
import { Gateway, type Pass } from './testing/gateway.ts';

// What is held is told by webhook, in Slack and by mail, answered in Slack, and one receiver that hangs holds up nobody.

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const SIGNING_SECRET = 'slack signing secret';
const POLICIES = `
@id("support-drops")
permit (principal in Group::"support", action == Action::"ddl", resource in Database::"shop/shop");
@id("support-approves-too")
permit (principal in Group::"support", action == Action::"gateway-approve", resource == Gateway::"sallyport");
`;
const RULES = `  hold_wait: 30
  rules:
    - { name: dba-oncall, ask: [dba, support] }
`;

interface Got {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

let gateway: Gateway;
let alice: Pass;
let bob: Pass;
let dave: Pass;
let job: Pass;
let server: Server;
let mail: SmtpServer;
const got: Got[] = [];
const hung: Got[] = [];

beforeAll(async () => {
  server = createServer((asked, answer) => {
    let text = '';
    asked.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    asked.on('end', () => {
      const one = { path: asked.url ?? '', headers: asked.headers, text };
      if (one.path === '/hang') return hung.push(one);
      got.push(one);
      answer.end(one.path.startsWith('/slack/') ? JSON.stringify({ ok: true, channel: 'C1', ts: '17.000100' }) : 'x');
      return undefined;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mail = await smtpServer();
  gateway = await Gateway.start({ policies: { 'notify.cedar': POLICIES }, approvals: RULES });
  [alice, bob, dave] = await Promise.all([gateway.person('alice'), gateway.person('bob'), gateway.person('dave')]);
  job = await gateway.job(alice, { target: 'shop' });
  Object.assign(process.env, { NOTIFY_SECRET: SECRET, NOTIFY_SIGNING: SIGNING_SECRET, NOTIFY_TOKEN: 'xoxb-1' });
  await gateway.running.close();
  const { config, idp } = gateway.world;
  const text = readFileSync(config, 'utf8').replace(RULES, `${RULES}${destinations(idp.issuer)}`);
  writeFileSync(config, text);
  gateway.running = await serve({ config, log: { info: () => {}, warn: () => {}, error: () => {} } });
});
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  mail?.close();
  await gateway?.stop();
  for (const name of ['NOTIFY_SECRET', 'NOTIFY_SIGNING', 'NOTIFY_TOKEN']) delete process.env[name];
});

function destinations(issuer: string): string {
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return `  notify:
    - { kind: webhook, name: hook, url: "${base}/hook", secret: "env:NOTIFY_SECRET" }
    - { kind: webhook, name: hung, url: "${base}/hang", secret: "env:NOTIFY_SECRET" }
    - kind: slack
      name: slack
      url: "${base}/slack"
      token: env:NOTIFY_TOKEN
      signing_secret: env:NOTIFY_SIGNING
      channel: C1
      people: { UALICE: "${issuer}|alice", UBOBB: "${issuer}|bob" }
    - { kind: email, name: mail, smtp: "smtp://127.0.0.1:${mail.port}", from: gw@example.com, to: [dba@example.com] }
`;
}

/** What came to a path about a request, as it came. */
const about = (path: string, id: string): Got[] => got.filter((one) => one.path === path && one.text.includes(id));
const told = (id: string): string[] => about('/hook', id).map(({ text }) => JSON.parse(text).type);

async function held(name: string): Promise<{ readonly id: string; readonly done: Promise<unknown> }> {
  const direct = await gateway.direct();
  await direct.query(`create table ${name} (n int)`);
  await direct.end();
  const client = await gateway.client(job);
  const done = client.query(`drop table ${name}`).finally(() => void client.end());
  done.catch(() => undefined);
  await expect.poll(() => got.some(({ path, text }) => path === '/hook' && text.includes(name)), WAIT).toBe(true);
  const { data } = JSON.parse(got.find(({ path, text }) => path === '/hook' && text.includes(name))?.text ?? '');
  return { id: data.request.id, done };
}

const WAIT = { timeout: 8_000, interval: 20 };

function press(user: string, action: string, id: string): Promise<{ status: number; again: () => Promise<number> }> {
  const payload = JSON.stringify({
    type: 'block_actions',
    user: { id: user },
    channel: { id: 'C1' },
    trigger_id: `${user}.${action}.${id}`,
    actions: [{ action_id: action, value: id }],
  });
  const body = `payload=${encodeURIComponent(payload)}`;
  const timestamp = String(Math.floor(Date.now() / 1000));
  const mac = createHmac('sha256', SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest('hex');
  const send = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${mac}`,
      };
      const { https: port } = gateway.running.ports;
      const to = {
        host: 'localhost',
        port,
        path: '/v1/slack/interactive',
        method: 'POST',
        ca: readFileSync(gateway.ca),
      };
      const asked = request({ ...to, headers }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      });
      asked.on('error', reject);
      asked.end(body);
    });
  return send().then((status) => ({ status, again: send }));
}

describe('a statement that is held', () => {
  it('is told everywhere, signed, while one receiver hangs, and is answered in Slack', async () => {
    const { id, done } = await held('told_one');
    await expect.poll(() => about('/slack/chat.postMessage', id).length, WAIT).toBe(1);
    await expect.poll(() => mail.mails.filter(({ data }) => data.includes(id)).length, WAIT).toBe(1);
    expect(hung.length).toBeGreaterThan(0);

    const { headers, text } = about('/hook', id)[0]!;
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
    const mac = createHmac('sha256', Buffer.alloc(32, 3)).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${mac}`);
    expect(JSON.parse(text).data).toMatchObject({
      request: { url: `https://localhost:7443/approvals/${id}`, rules: ['dba-oncall'] },
      effect: { statement: 'drop table told_one', whole: true },
    });
    expect(about('/slack/chat.postMessage', id)[0]?.headers.authorization).toBe('Bearer xoxb-1');

    const pressed = await press('UBOBB', 'approve', id);
    expect(pressed.status).toBe(200);
    await expect(done).resolves.toMatchObject({ command: 'DROP' });
    expect(await pressed.again()).toBe(409);
    await expect.poll(() => told(id), WAIT).toEqual(['approval.made', 'approval.approved']);
    await expect.poll(() => about('/slack/chat.update', id).length, WAIT).toBe(1);
    const { body } = await gateway.ask('GET', `/v1/approvals/${id}`, bob);
    expect(body).toMatchObject({ state: 'used', answers: [{ by: { name: 'bob@shop.example' }, verdict: 'approve' }] });
  });

  it('is not approved by whoever asks, by a user nobody knows, or with a login that is over', async () => {
    const { id, done } = await held('told_two');
    const whispers = (): string[] =>
      about('/slack/chat.postEphemeral', id).map(({ text }) => `${JSON.parse(text).user} ${JSON.parse(text).text}`);
    await press('UALICE', 'approve', id);
    await press('UEVE', 'approve', id);
    await expect.poll(() => whispers().length, WAIT).toBe(2);
    await gateway.ask('POST', `/v1/grants/${bob.id}/revoke`, bob, {});
    await press('UBOBB', 'approve', id);
    await expect
      .poll(whispers, WAIT)
      .toEqual([
        expect.stringMatching(/^UALICE What is asked in your own name/),
        expect.stringMatching(/^UEVE Nobody here knows/),
        expect.stringMatching(/^UBOBB You are not logged in/),
      ]);
    expect((await gateway.ask('GET', `/v1/approvals/${id}`, alice)).body).toMatchObject({
      state: 'waiting',
      answers: [],
    });
    bob = await gateway.person('bob');
    expect((await press('UBOBB', 'deny', id)).status).toBe(200);
    await expect(done).rejects.toMatchObject({ code: '42501' });
    await expect.poll(() => told(id), WAIT).toEqual(['approval.made', 'approval.denied']);
  });

  it('is in the list of deliveries, with what went wrong, for administrators', async () => {
    const list = async () => {
      const { body } = await gateway.ask('GET', '/v1/deliveries?state=waiting', dave);
      return (body['deliveries'] as { destination: string; error: string | null }[]).map(
        ({ destination, error }) => `${destination} ${error}`,
      );
    };
    await expect.poll(list, { timeout: 15_000 }).toContain('hung no answer within 10 s');
    expect((await gateway.ask('GET', '/v1/deliveries', alice)).status).toBe(403);
    expect((await gateway.ask('GET', '/v1/deliveries?state=dead', dave)).body).toEqual({ deliveries: [] });
  });
});
