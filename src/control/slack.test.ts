import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { aRule, wanting } from '../approvals/testing/samples.ts';
import { createApp } from './app.ts';
import { FakeControl, grantOf, idOf, NOW, person, SIGNING_SECRET } from './testing/fakes.ts';

let fake: FakeControl;
let app: ReturnType<typeof createApp>;
let faults: string[];

const dave = person('dave', ['dbas']);

beforeEach(async () => {
  fake = new FakeControl();
  fake.add('dave', grantOf('dave', { principal: dave }));
  fake.slackers.set('UDAVE', dave.id);
  fake.slackers.set('UALICE', 'https://id.example|alice');
  faults = [];
  app = createApp({ ports: fake.ports(), isLocal: () => false, onFault: (fault) => faults.push(fault.code) });
  await ask();
});

const REQUEST = idOf('request');
async function ask(): Promise<void> {
  const { wanted, fresh } = wanting(REQUEST);
  await fake.requests.open(wanted, fresh);
}

interface Pressing {
  readonly user?: string;
  readonly action?: string;
  readonly trigger?: string;
  readonly payload?: object;
  /** Seconds since the epoch. */
  readonly at?: number;
  readonly secret?: string;
  /** What arrives instead of what was signed. */
  readonly body?: (signed: string) => string;
}

let triggers = 0;
async function press({ user = 'UDAVE', action = 'approve', trigger, payload = {}, at, secret, body }: Pressing = {}) {
  const text = JSON.stringify({
    type: 'block_actions',
    user: { id: user },
    channel: { id: 'C1' },
    trigger_id: trigger ?? `t${triggers++}`,
    actions: [{ action_id: action, value: REQUEST }],
    ...payload,
  });
  const signed = `payload=${encodeURIComponent(text)}`;
  const timestamp = String(at ?? NOW / 1000);
  const mac = createHmac('sha256', secret ?? SIGNING_SECRET)
    .update(`v0:${timestamp}:${signed}`)
    .digest('hex');
  const sent = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${mac}`,
  };
  const again = () =>
    app.inject({ method: 'POST', url: '/v1/slack/interactive', headers: sent, payload: body?.(signed) ?? signed });
  return { again, status: (await again()).statusCode };
}

const state = async (): Promise<string | undefined> => (await fake.requests.find(REQUEST))?.state;
const answers = async (): Promise<readonly string[]> =>
  ((await fake.requests.find(REQUEST))?.answers ?? []).map(({ by, verdict }) => `${by.name} ${verdict}`);

describe('a button pressed in Slack', () => {
  it.each([
    ['approve', 'approved'],
    ['deny', 'denied'],
  ])('is the answer of its person: %s', async (action, expected) => {
    expect((await press({ action })).status).toBe(200);
    expect(await state()).toBe(expected);
    expect(fake.events).toMatchObject([
      { type: 'approval.answered', verdict: action, via: 'slack', by: dave.id, scope: 'once', request: REQUEST },
    ]);
    expect(fake.whispers).toEqual([]);
  });

  it.each<[string, Pressing]>([
    ['forged', { secret: 'guess' }],
    ['expired', { at: NOW / 1000 - 301 }],
    ['of the future', { at: NOW / 1000 + 301 }],
    ['edited', { body: (signed) => signed.replace('approve', 'deny') }],
    ['with a second payload', { body: (signed) => `${signed}&payload=%7B%7D` }],
    ['empty', { body: () => '' }],
  ])('counts for nothing when it is %s', async (_name, pressing) => {
    expect((await press(pressing)).status).toBe(401);
    expect(await state()).toBe('waiting');
    expect(fake.events).toEqual([]);
    expect(fake.used.size).toBe(0);
  });

  it('counts once, however often it is sent', async () => {
    const { again } = await press();
    expect((await again()).statusCode).toBe(409);
    expect((await press({ trigger: 'same' })).status).toBe(200);
    expect((await press({ trigger: 'same', action: 'deny' })).status).toBe(409);
    expect(await answers()).toEqual(['dave approve']);
  });

  it('is taken once of three that come together', async () => {
    const { again } = await press({ action: 'open' });
    fake.used.clear();
    const statuses = (await Promise.all([again(), again(), again()])).map((response) => response.statusCode);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
  });

  it('pressed twice by one person says so to that person', async () => {
    await press();
    await press({ action: 'deny' });
    expect(await answers()).toEqual(['dave approve']);
    expect(fake.whispers).toMatchObject([expect.stringMatching(/^UDAVE Not taken: .*is approved already/)]);
  });

  it.each<[string, () => void, Pressing, RegExp]>([
    ['a user nobody mapped', () => undefined, { user: 'UEVE' }, /^UEVE Nobody here knows who you are/],
    ['who never logged in', () => undefined, { user: 'UALICE' }, /^UALICE You are not logged in/],
    [
      'whose login was revoked',
      () =>
        fake.revoked.set(idOf('dave'), { subject: { kind: 'grant', id: idOf('dave') }, by: 'x', reason: '', at: 0 }),
      {},
      /^UDAVE You are not logged in/,
    ],
    [
      'whose login is over',
      () => fake.add('dave', grantOf('dave', { principal: dave, expires: NOW })),
      {},
      /^UDAVE You are not logged in/,
    ],
    [
      'who has lost the group at the last login',
      () => {
        fake.chains.clear();
        fake.add('dave2', grantOf('dave2', { principal: person('dave', []) }));
        fake.add('dave', grantOf('dave', { principal: dave }));
      },
      {},
      /^UDAVE Not taken: you are not among those who are asked/,
    ],
    [
      'whom no policy lets approve',
      () => Object.assign(fake, { admins: [], approvers: [], auditors: ['dave'] }),
      {},
      /^UDAVE Not taken: no policy permits/,
    ],
    [
      'whose login is for certain addresses only',
      () => fake.add('dave', grantOf('dave', { principal: dave, caveats: { sources: ['10.0.0.0/8'] } })),
      {},
      /^UDAVE Your login is limited/,
    ],
    [
      'who has a narrowed pass only',
      () => fake.add('dave', grantOf('dave', { principal: dave, caveats: { scopes: [{ target: 'shop' }] } })),
      {},
      /^UDAVE You are not logged in/,
    ],
  ])('of %s counts for nothing, and leads to where it would', async (_name, arrange, pressing, told) => {
    arrange();
    expect((await press(pressing)).status).toBe(200);
    expect(await state()).toBe('waiting');
    expect(await answers()).toEqual([]);
    expect(fake.events).toEqual([]);
    expect(fake.whispers).toEqual([expect.stringMatching(told)]);
    expect(fake.whispers[0]).toMatch(new RegExp(`https://gw\\.example\\.com/approvals/${REQUEST}$`));
  });

  it('confirms nothing in one’s own name, however fresh the login: it leads to where that is done', async () => {
    fake.add('alice', grantOf('alice'));
    const { wanted, fresh } = wanting(idOf('own'), [aRule({ steps: [], confirm: 'delegator' })]);
    await fake.requests.open(wanted, fresh);
    await press({ user: 'UALICE', payload: { actions: [{ action_id: 'approve', value: idOf('own') }] } });
    await press({ user: 'UALICE' });
    expect((await fake.requests.find(idOf('own')))?.state).toBe('waiting');
    expect(fake.whispers).toHaveLength(2);
    expect(fake.whispers[0]).toMatch(/^UALICE What is asked in your own name is confirmed with a fresh login/);
  });

  it('never breaks glass', async () => {
    const { wanted, fresh } = wanting(idOf('glass'), [aRule({ breakGlass: [dave.id] })]);
    await fake.requests.open(wanted, fresh);
    await press({ action: 'break-glass', payload: {} });
    expect(fake.events).toEqual([]);
  });

  it('is told when it could not be kept, and counts for nothing', async () => {
    fake.unwritable = true;
    expect((await press()).status).toBe(503);
    expect(await state()).toBe('waiting');
    expect(fake.whispers).toEqual([expect.stringMatching(/^UDAVE Your answer could not be kept/)]);
    expect(faults).toEqual(['EVIDENCE_UNWRITABLE']);
  });

  it('that only opens a page is taken note of, and a payload that is none refused', async () => {
    expect((await press({ action: 'open' })).status).toBe(200);
    expect((await press({ payload: { actions: [] } })).status).toBe(400);
    expect((await press({ payload: { actions: [{ action_id: 'approve', value: '../x' }] } })).status).toBe(400);
    expect(await state()).toBe('waiting');
  });

  it('does not change how forms are read elsewhere', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await app.inject({ method: 'POST', url: '/oauth/introspect', headers, payload: 'token=dave' });
    expect(answer.json()).toMatchObject({ active: true });
    const json = await app.inject({ method: 'POST', url: '/v1/slack/interactive', payload: {} });
    expect(json.statusCode).toBe(415);
  });
});
