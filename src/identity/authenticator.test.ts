import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Denial } from '../core/decision.ts';
import { currentOf, describeChain } from '../core/grant.ts';
import type { Login, Origin } from '../core/login.ts';
import { GrantAuthenticator, LOGIN_REFUSED } from './authenticator.ts';
import { parsePass } from './pass.ts';
import { TestScramClient } from './testing/scram-client.ts';
import { ORIGIN, type World, world } from './testing/world.ts';

const MINUTE = 60_000;
const certificate = createHash('sha256').update('cert').digest();

let w: World;
let auth: GrantAuthenticator;
beforeEach(async () => {
  w = await world();
  auth = new GrantAuthenticator(w.ports);
});

async function helperPass(more: Record<string, string> = {}): Promise<{ grant: string; secret: string; pass: string }> {
  const root = await w.pass(await w.login());
  const { pass } = await w.pass(w.asserted(root.pass, more));
  const parsed = parsePass(pass);
  if (!parsed) throw new Error('no pass');
  return { ...parsed, pass };
}

interface ScramOptions {
  readonly origin?: Origin;
  readonly plus?: boolean;
}

async function scramLogin(
  grant: string,
  secret: string,
  { origin = ORIGIN, plus = false }: ScramOptions = {},
): Promise<Login | Denial> {
  const client = plus
    ? new TestScramClient(secret, { header: 'p=tls-server-end-point,,', binding: certificate })
    : new TestScramClient(secret);
  const exchange = auth.scram(grant, origin, plus ? certificate : undefined);
  const challenge = await exchange.first(plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256', client.first);
  const outcome = await exchange.final(client.final(challenge));
  if ('effect' in outcome) return outcome;
  expect(client.accepts(outcome.serverFinal)).toBe(true);
  return outcome.login;
}

const failed = { code: 'LOGIN_FAILED', message: LOGIN_REFUSED };

describe('a login by SCRAM', () => {
  it('gives the chain, and each side proved the secret to the other', async () => {
    const { grant, secret } = await helperPass();
    const login = await scramLogin(grant, secret);
    expect(login).toMatchObject({ binding: 'scram' });
    expect('chain' in login && describeChain(login.chain)).toBe('alice@corp.example > helper (asserted)');
    expect(w.audit.last()).toMatchObject({ type: 'login.accepted', grant, binding: 'scram', address: '10.0.0.1' });
  });

  it('is bound to the channel with -PLUS', async () => {
    const { grant, secret } = await helperPass();
    expect(await scramLogin(grant, secret, { plus: true })).toMatchObject({ binding: 'channel' });
  });

  it('needs no confidential connection, since the secret never crosses it', async () => {
    const { grant, secret } = await helperPass();
    const plain = { address: '10.0.0.1', confidential: false };
    expect(await scramLogin(grant, secret, { origin: plain })).toMatchObject({ binding: 'scram' });
  });

  it('fails in the same way for a wrong secret and for grants that do not exist', async () => {
    const { grant } = await helperPass();
    for (const id of [grant, 'A'.repeat(22), 'not-an-id', '']) {
      await expect(scramLogin(id, 'x'.repeat(38))).rejects.toMatchObject(failed);
      expect(w.audit.last()).toMatchObject({ type: 'login.refused', reason: 'proof' });
    }
  });

  it('shows the same salt every time for a grant that does not exist, as for one that does', async () => {
    const { grant } = await helperPass();
    for (const id of [grant, 'A'.repeat(22)]) {
      const salts = await Promise.all(
        [1, 2].map(
          async () => (await auth.scram(id, ORIGIN, undefined).first('SCRAM-SHA-256', 'n,,n=,r=a')).split(',')[1],
        ),
      );
      expect(salts[0]).toMatch(/^s=[A-Za-z0-9+/]{22}==$/);
      expect(salts[0]).toBe(salts[1]);
    }
  });

  it('is refused to the holder of a revoked or expired pass like to anybody', async () => {
    const { grant, secret } = await helperPass();
    await w.grants.revoke({ kind: 'principal', id: 'https://id.corp.example|u1' }, 'admin', 'left');
    await expect(scramLogin(grant, secret)).rejects.toMatchObject(failed);
    expect(w.audit.last()).toMatchObject({ reason: 'revoked', chain: 'alice@corp.example > helper (asserted)' });
  });

  it('tells the holder plainly that sessions may no longer be opened', async () => {
    const { grant, secret } = await helperPass();
    w.clock.advance(2 * MINUTE);
    expect(await scramLogin(grant, secret)).toMatchObject({
      effect: 'deny',
      reason: 'grant-expired',
      message: 'this pass could open sessions until 2026-11-24T12:02:00.000Z only',
    });
    w.clock.advance(60 * MINUTE);
    await expect(scramLogin(grant, secret)).rejects.toMatchObject(failed);
  });

  it('notices that a grant was revoked between the two messages', async () => {
    const { grant, secret } = await helperPass();
    const client = new TestScramClient(secret);
    const exchange = auth.scram(grant, ORIGIN, undefined);
    const final = client.final(await exchange.first('SCRAM-SHA-256', client.first));
    await w.grants.revoke({ kind: 'grant', id: grant }, 'admin', 'x');
    await expect(exchange.final(final)).rejects.toMatchObject(failed);
  });

  it('records a downgrade that somebody in between tried', async () => {
    const { grant } = await helperPass();
    const exchange = auth.scram(grant, ORIGIN, certificate);
    await expect(exchange.first('SCRAM-SHA-256', 'y,,n=,r=abc')).rejects.toMatchObject({ code: 'PROTOCOL_UNEXPECTED' });
    expect(w.audit.last()).toMatchObject({ type: 'login.refused', reason: expect.stringContaining('downgrade') });
  });
});

describe('a pass as a password', () => {
  it('logs its holder in', async () => {
    const { pass } = await helperPass();
    expect(await auth.bearer(pass, ORIGIN)).toMatchObject({ binding: 'bearer' });
  });

  it('is refused on a connection where others can read it, with what to do instead', async () => {
    const { pass } = await helperPass();
    expect(await auth.bearer(pass, { ...ORIGIN, confidential: false })).toMatchObject({
      effect: 'deny',
      reason: 'unsupported',
      hint: expect.stringContaining('sslmode'),
    });
    expect(w.audit.last()).toMatchObject({ type: 'login.refused' });
    expect(JSON.stringify(w.audit.events)).not.toContain(pass.slice(27));
  });

  it.each([
    ['nothing', ''],
    ['a password', 'hunter2'],
    ['a pass nobody issued', 'slp_00000000000000000000xx_00000000000000000000000000000000000000'],
    ['something like a token', 'aaa.bbb.ccc'],
  ])('fails for %s with the one message', async (_name, secret) => {
    await expect(auth.bearer(secret, ORIGIN)).rejects.toMatchObject(failed);
    expect(w.audit.types()).toEqual(['login.refused']);
  });

  it('lets nobody in whose login cannot be recorded', async () => {
    const { grant, secret, pass } = await helperPass();
    w.audit.broken = true;
    await expect(auth.bearer(pass, ORIGIN)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
    await expect(scramLogin(grant, secret)).rejects.toMatchObject({ code: 'EVIDENCE_UNWRITABLE' });
  });
});

describe('a token as a password', () => {
  const grantOf = async (token: string): Promise<string> => {
    const login = await auth.bearer(token, ORIGIN);
    if ('effect' in login) throw new Error(login.message);
    return currentOf(login.chain).id;
  };

  it('logs a person in, in person, until the token ends, with nothing to delegate', async () => {
    const login = await auth.bearer(await w.alice(), ORIGIN);
    if ('effect' in login) throw new Error(login.message);
    expect(login.binding).toBe('bearer');
    expect(currentOf(login.chain)).toMatchObject({
      principal: { kind: 'user', name: 'alice@corp.example' },
      agent: undefined,
      expires: w.clock.now() + 10 * MINUTE,
      delegable: false,
      login: { provider: 'corp', session: 's1' },
    });
    expect(w.audit.types()).toEqual(['grant.issued', 'login.accepted']);
  });

  it('logs a workload in as itself', async () => {
    const login = await auth.bearer(await w.job(), ORIGIN);
    expect('chain' in login && currentOf(login.chain).principal.kind).toBe('workload');
  });

  it('shares one grant among all its connections, at the same time and on another node', async () => {
    const token = await w.alice();
    const ids = await Promise.all(Array.from({ length: 8 }, () => grantOf(token)));
    auth = new GrantAuthenticator(w.ports);
    expect(new Set([...ids, await grantOf(token)]).size).toBe(1);
    expect(w.audit.types().filter((type) => type === 'grant.issued')).toHaveLength(1);
    expect(await grantOf(await w.alice({ jti: 'other' }))).not.toBe(ids[0]);
  });

  it('stays out once its grant was revoked, also with its signature written differently', async () => {
    const token = await w.alice();
    await w.grants.revoke({ kind: 'grant', id: await grantOf(token) }, 'admin', 'x');
    await expect(auth.bearer(token, ORIGIN)).rejects.toMatchObject(failed);
    const other = otherSignature(token);
    expect(other).not.toBe(token);
    await expect(w.ports.providers.verify(other, 'people')).resolves.toBeDefined();
    await expect(auth.bearer(other, ORIGIN)).rejects.toMatchObject(failed);
  });

  it('stays out once what it vouches for was revoked, whether it was used before or not', async () => {
    const [used, fresh] = [await w.alice({ jti: 'a' }), await w.alice({ jti: 'b' })];
    await grantOf(used);
    await w.grants.revoke({ kind: 'membership', id: 'https://id.corp.example|u1', group: 'support' }, 'admin', 'moved');
    for (const token of [used, fresh]) await expect(auth.bearer(token, ORIGIN)).rejects.toMatchObject(failed);
    w.clock.advance(1_000);
    expect(await grantOf(await w.alice({ jti: 'c' }))).toEqual(expect.any(String));
  });

  it('is refused when it does not verify, and the log says why', async () => {
    await expect(auth.bearer(await w.alice({ aud: 'other' }), ORIGIN)).rejects.toMatchObject(failed);
    expect(w.audit.last()).toMatchObject({ type: 'login.refused', reason: expect.stringContaining('"aud"') });
  });
});

describe('guessing', () => {
  it('is slowed down by source, whatever the way in, and a right secret must wait too', async () => {
    const { grant, secret, pass } = await helperPass({ connect_within: '3600' });
    for (let i = 0; i < 10; i++) {
      await expect(auth.bearer('guess', ORIGIN)).rejects.toMatchObject(failed);
      await expect(scramLogin(grant, 'x'.repeat(38))).rejects.toMatchObject(failed);
    }
    const { length } = w.audit.events;
    await expect(auth.bearer(pass, ORIGIN)).rejects.toMatchObject({ code: 'LOGIN_THROTTLED' });
    await expect(scramLogin(grant, secret)).rejects.toMatchObject({ code: 'LOGIN_THROTTLED' });
    expect(w.audit.events).toHaveLength(length);
    expect(await scramLogin(grant, secret, { origin: { ...ORIGIN, address: '10.0.0.2' } })).toHaveProperty('chain');
    w.clock.advance(MINUTE);
    expect(await auth.bearer(pass, ORIGIN)).toHaveProperty('chain');
  });

  it('costs nothing to those who get it right', async () => {
    const { pass } = await helperPass();
    for (let i = 0; i < 50; i++) expect(await auth.bearer(pass, ORIGIN)).toHaveProperty('chain');
  });
});

/** For (r, s) of an ECDSA signature, (r, n - s) is valid as well. */
function otherSignature(token: string): string {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [head, body, signature = ''] = token.split('.');
  const raw = Buffer.from(signature, 'base64url');
  const s = n - BigInt(`0x${raw.subarray(32).toString('hex')}`);
  const flipped = Buffer.concat([raw.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return `${head}.${body}.${flipped.toString('base64url')}`;
}
