import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { asFault } from '../core/fault.ts';
import type { PeopleProvider, Provider, WorkloadProvider } from './provider.ts';
import { Providers } from './providers.ts';
import { StillClock } from './testing/fakes.ts';
import { fetchFrom, type TestIssuer, testIssuer } from './testing/issuer.ts';
import { reasonOf } from './token-fault.ts';

const CORP = 'https://id.corp.example';
const CI = 'https://ci.example/oidc';
const corp: PeopleProvider = {
  kind: 'people',
  name: 'corp',
  issuer: CORP,
  audience: 'sallyport',
  groupsClaim: 'groups',
  nameClaim: 'email',
};
const ci: WorkloadProvider = {
  kind: 'workload',
  name: 'ci',
  issuer: CI,
  audience: 'https://gw.example',
  match: { repository_id: '123456', ref_protected: 'true' },
  agent: 'ci',
  rights: 'delegated',
};
const alice = {
  sub: 'u1',
  aud: 'sallyport',
  email: 'alice@corp.example',
  groups: ['support', 'eu'],
  sid: 's1',
  jti: 't1',
};
const job = { sub: 'repo:shop:main', aud: 'https://gw.example', repository_id: 123456, ref_protected: true, jti: 'j1' };

let clock: StillClock;
let people: TestIssuer;
let jobs: TestIssuer;
let providers: Providers;

function providersOf(...configured: Provider[]): Providers {
  return new Providers(configured, { clock, fetch: fetchFrom(people, jobs), cooldown: 0 });
}

/** The reason for the log, after checking that the message outside tells nothing. */
async function refusal(token: string, kind: Provider['kind'] | 'any' = 'people'): Promise<string> {
  const fault = await providers.verify(token, kind).then(
    () => asFault('accepted'),
    (thrown: unknown) => asFault(thrown),
  );
  expect(fault).toMatchObject({ code: 'TOKEN_INVALID', message: 'the token is not accepted' });
  return reasonOf(fault);
}

beforeEach(async () => {
  clock = new StillClock();
  people = await testIssuer(CORP, clock);
  jobs = await testIssuer(CI, clock);
  providers = providersOf(corp, ci);
});

describe('a person’s ID token', () => {
  it('says who manages them, where that is asked for and plain', async () => {
    providers = providersOf({ ...corp, managerClaim: 'boss' });
    const managerOf = async (claims: object) =>
      (await providers.verify(await people.sign({ ...alice, ...claims }), 'people')).principal.manager;
    expect(await managerOf({ boss: 'u9', jti: 'm1' })).toBe(`${CORP}|u9`);
    expect(await managerOf({ jti: 'm2' })).toBeUndefined();
    expect(await managerOf({ boss: ['u9'], jti: 'm3' })).toBeUndefined();
    expect(await managerOf({ boss: '', jti: 'm4' })).toBeUndefined();
  });

  it('says who they are', async () => {
    expect(await providers.verify(await people.sign(alice), 'people')).toEqual({
      provider: 'corp',
      kind: 'people',
      principal: { kind: 'user', id: `${CORP}|u1`, name: 'alice@corp.example', groups: ['support', 'eu'] },
      agent: undefined,
      issuedAt: clock.now(),
      expires: clock.now() + 600_000,
      session: 's1',
      tokenId: 't1',
    });
  });

  it.each<[string, Record<string, unknown>, object]>([
    ['one group as text', { groups: 'support' }, { groups: ['support'] }],
    ['no groups', { groups: undefined }, { groups: [] }],
    ['an unverified address', { email_verified: false }, { name: 'u1' }],
    ['no name', { email: undefined }, { name: 'u1' }],
    ['a name that draws a chain', { email: 'alice > root (attested)' }, { name: 'alice _ root _attested_' }],
    ['a name with an escape sequence', { email: '\u001b[2Jalice' }, { name: 'u1' }],
    ['a name that runs backwards', { email: '\u202eecila' }, { name: 'u1' }],
  ])('with %s is read with care', async (_name, claims, principal) => {
    const { principal: found } = await providers.verify(await people.sign({ ...alice, ...claims }), 'people');
    expect(found).toMatchObject(principal);
  });

  it('may have further audiences when it was made for us', async () => {
    const token = await people.sign({ ...alice, aud: ['other', 'sallyport'], azp: 'sallyport' });
    expect(await providers.verify(token, 'people')).toMatchObject({ provider: 'corp' });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another audience', { aud: 'other' }, '"aud"'],
    ['an audience that only begins like ours', { aud: 'sallyport2' }, '"aud"'],
    ['no audience', { aud: undefined }, '"aud"'],
    ['several audiences and no azp', { aud: ['sallyport', 'other'] }, 'no azp'],
    ['another authorised party', { azp: 'other' }, 'azp'],
    ['another issuer', { iss: 'https://evil.example' }, 'no provider'],
    ['an issuer that differs by a slash', { iss: `${CORP}/` }, 'no provider'],
    ['no subject', { sub: undefined }, '"sub"'],
    ['a subject that is no text', { sub: 7 }, 'sub is not'],
    ['a subject with a line end', { sub: 'a\nb' }, 'sub is not'],
    ['no expiry', { exp: undefined }, '"exp"'],
    ['an expiry that is no number', { exp: 'never' }, '"exp"'],
    ['no time of issue', { iat: undefined }, '"iat"'],
    ['an actor in it', { act: { sub: 'x' } }, 'act claim'],
    ['a logout event in it', { events: {} }, 'event token'],
    ['the type of a bearer token', { typ: 'Bearer' }, 'typ'],
    ['the use of an access token', { token_use: 'access' }, 'token_use'],
    ['groups of numbers', { groups: [1] }, 'group is not'],
    ['groups in an object', { groups: { support: true } }, 'group is not'],
    ['a group with a control character', { groups: ['a\u0000'] }, 'group is not'],
    ['too many groups', { groups: Array.from({ length: 1001 }, (_, i) => `g${i}`) }, 'more than 1000'],
    ['groups kept elsewhere', { groups: undefined, _claim_names: { groups: 'src1' } }, 'distributed'],
  ])('is refused for %s', async (_name, claims, reason) => {
    expect(await refusal(await people.sign({ ...alice, ...claims }))).toContain(reason);
  });

  it.each<[string, string]>([
    ['an access token', 'at+jwt'],
    ['a logout token', 'logout+jwt'],
    ['a logout token by its full name', 'application/logout+jwt'],
    ['a workload identity token, which is no bearer', 'wit+jwt'],
    ['a proof', 'dpop+jwt'],
  ])('is not %s', async (_name, typ) => {
    expect(await refusal(await people.sign(alice, { typ }))).toContain('not a plain JWT');
  });

  it('forgives thirty seconds of skew and no more', async () => {
    const now = clock.now() / 1000;
    const late = await people.sign({ ...alice, exp: now - 29 });
    const early = await people.sign({ ...alice, nbf: now + 29, iat: now + 29 });
    await expect(providers.verify(late, 'people')).resolves.toBeDefined();
    await expect(providers.verify(early, 'people')).resolves.toBeDefined();
    expect(await refusal(await people.sign({ ...alice, exp: now - 31 }))).toContain('"exp"');
    expect(await refusal(await people.sign({ ...alice, nbf: now + 31 }))).toContain('"nbf"');
    expect(await refusal(await people.sign({ ...alice, iat: now + 31 }))).toContain('"iat"');
  });

  it('is not taken where a workload’s is wanted', async () => {
    expect(await refusal(await people.sign(alice), 'workload')).toContain('no provider');
    await expect(providers.verify(await people.sign(alice), 'any')).resolves.toMatchObject({ kind: 'people' });
  });
});

describe('a forged token', () => {
  const parts = (header: object, payload: object): string =>
    [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const now = (): number => clock.now() / 1000;
  const claims = (): object => ({ ...alice, iss: CORP, iat: now(), exp: now() + 600 });

  it('is refused without a signature', async () => {
    expect(await refusal(`${parts({ alg: 'none' }, claims())}.`)).toContain('not a plain JWT');
    expect(await refusal(`${parts({ alg: 'none' }, claims())}.AAAA`)).toContain('"alg"');
  });

  it('is refused when the public key is used as a shared secret', async () => {
    const [jwk] = people.jwks.keys;
    const key = await importJWK({ ...jwk, ext: true }, 'ES256');
    if (key instanceof Uint8Array) throw new Error('not a public key');
    for (const secret of [await exportSPKI(key), JSON.stringify(jwk)]) {
      const head = parts({ alg: 'HS256', kid: 'key-1' }, claims());
      const mac = createHmac('sha256', secret).update(head).digest('base64url');
      expect(await refusal(`${head}.${mac}`)).toContain('"alg" (Algorithm) Header Parameter value not allowed');
    }
  });

  it('is refused with a key of its own in the header', async () => {
    const other = await testIssuer(CORP, clock);
    const [jwk] = other.jwks.keys;
    const token = await other.sign(alice, { jwk: { ...jwk }, kid: 'key-1' });
    expect(await refusal(token)).toContain('signature');
  });

  it('is refused with a key id nobody has', async () => {
    expect(await refusal(await people.sign(alice, { kid: 'other' }))).toContain('no applicable key');
  });

  it('is refused with a symmetric key, even one the issuer published', async () => {
    const secret = Buffer.alloc(32, 7);
    people.jwks = { keys: [{ kty: 'oct', k: secret.toString('base64url'), kid: 'mac', alg: 'HS256' }] };
    const token = await new SignJWT({ ...claims() }).setProtectedHeader({ alg: 'HS256', kid: 'mac' }).sign(secret);
    expect(await refusal(token)).toContain('"alg" (Algorithm) Header Parameter value not allowed');
  });

  it('is refused with an unknown critical header', async () => {
    const [head = '', body = '', signature = ''] = (await people.sign(alice)).split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...header, crit: ['x'], x: 1 })).toString('base64url');
    expect(await refusal(`${forged}.${body}.${signature}`)).not.toBe('accepted');
  });

  it('is refused when one character of its claims changed', async () => {
    const [head, body = '', signature] = (await people.sign(alice)).split('.');
    const changed = body.replace(/^./, (char) => (char === 'e' ? 'f' : 'e'));
    expect(await refusal(`${head}.${changed}.${signature}`)).not.toBe('accepted');
  });

  it.each([
    ['empty', ''],
    ['one part', 'abc'],
    ['two parts', 'abc.def'],
    ['four parts', 'abc.def.ghi.jkl'],
    ['not base64url', 'abc.d/f.ghi'],
    ['no JSON', 'abc.def.ghi'],
    ['oversized', `abc.${'d'.repeat(20_000)}.ghi`],
  ])('is refused when it is %s, without asking anybody', async (_name, token) => {
    expect(await refusal(token)).toContain('not a plain JWT');
    expect(people.fetched).toEqual([]);
  });
});

describe('a workload’s token', () => {
  it('says which workload it is, and what it is as an agent', async () => {
    const token = await providers.verify(await jobs.sign(job), 'workload');
    expect(token.principal).toEqual({
      kind: 'workload',
      id: `${CI}|repo:shop:main`,
      name: 'repo:shop:main',
      groups: [],
    });
    expect(token.agent).toEqual({
      id: `${CI}|repo:shop:main`,
      name: 'repo:shop:main',
      kind: 'ci',
      assurance: 'attested',
      class: 'ci',
      rights: 'delegated',
      groups: [],
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another pinned value', { repository_id: 123457 }, 'repository_id'],
    ['a pinned claim missing', { ref_protected: undefined }, 'ref_protected'],
    ['a pinned claim that is a list', { repository_id: ['123456'] }, 'repository_id'],
    ['a pinned claim that is an object', { repository_id: { toString: '123456' } }, 'repository_id'],
    ['a second audience', { aud: ['https://gw.example', 'other'] }, 'aud is not exactly'],
    ['another audience', { aud: 'https://other.example' }, '"aud"'],
  ])('is refused for %s', async (_name, claims, reason) => {
    expect(await refusal(await jobs.sign({ ...job, ...claims }), 'workload')).toContain(reason);
  });

  it('is judged by the one provider that fits among several of one issuer', async () => {
    const deploy: WorkloadProvider = {
      ...ci,
      name: 'deploy',
      match: { environment: 'prod' },
      agent: 'deploy',
      rights: 'own',
    };
    providers = providersOf(ci, deploy);
    const token = await jobs.sign({ sub: 'x', aud: 'https://gw.example', environment: 'prod' });
    expect((await providers.verify(token, 'workload')).agent).toMatchObject({ class: 'deploy', rights: 'own' });
    expect(await refusal(await jobs.sign({ ...job, environment: 'prod' }), 'workload')).toContain('more than one');
    expect(await refusal(await jobs.sign({ ...job, repository_id: 1 }), 'workload')).toContain(
      'deploy: claim environment',
    );
  });

  it('is no longer taken once its provider was narrowed', async () => {
    const token = await jobs.sign(job);
    await providers.verify(token, 'workload');
    providers.replace([corp, { ...ci, match: { repository_id: '7' } }]);
    expect(await refusal(token, 'workload')).toContain('repository_id');
    expect([...providers.kinds()]).toEqual(['ci']);
  });
});

describe('an issuer', () => {
  it('is asked once, however many tokens come at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => people.sign({ ...alice, jti: `${i % 4}` })));
    await Promise.all(tokens.map((token) => providers.verify(token, 'people')));
    expect(people.fetched).toEqual([`${CORP}/.well-known/openid-configuration`, `${CORP}/jwks`]);
  });

  it('may rotate its keys', async () => {
    const before = await people.sign(alice);
    await providers.verify(before, 'people');
    await people.rotate();
    await expect(providers.verify(await people.sign(alice), 'people')).resolves.toBeDefined();
    expect(await refusal(before)).toContain('no applicable key');
  });

  it('is not asked again and again for keys it does not have', async () => {
    providers = new Providers([corp], { clock, fetch: people.fetch });
    await providers.verify(await people.sign(alice), 'people');
    for (let i = 0; i < 5; i++) await refusal(await people.sign(alice, { kid: `other-${i}` }));
    expect(people.fetched).toHaveLength(2);
  });

  it('that is down is left alone for a moment, and comes back', async () => {
    people.down = true;
    expect(await refusal(await people.sign(alice))).toContain('connection refused');
    expect(await refusal(await people.sign(alice))).toContain('a moment ago');
    expect(people.fetched).toHaveLength(1);
    people.down = false;
    clock.advance(2_000);
    await expect(providers.verify(await people.sign(alice), 'people')).resolves.toBeDefined();
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['names another issuer', { issuer: 'https://other.example' }, 'another issuer'],
    ['names itself with a slash more', { issuer: `${CORP}/` }, 'another issuer'],
    ['keeps its keys on plain http', { jwks_uri: 'http://id.corp.example/jwks' }, 'not an https URL'],
    ['keeps its keys on this machine', { jwks_uri: 'http://127.0.0.1/jwks' }, 'not an https URL'],
    ['has no keys', { jwks_uri: undefined }, 'not an https URL'],
  ])('that %s is not believed', async (_name, change, reason) => {
    people.discovery = { ...people.discovery, ...change };
    expect(await refusal(await people.sign(alice))).toContain(reason);
  });

  it('that answers without end is cut off', async () => {
    const endless = new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(65_536)) });
    providers = new Providers([corp], { clock, fetch: async () => new Response(endless) });
    expect(await refusal(await people.sign(alice))).toContain('more than 262144 bytes');
  });

  it('that sends us elsewhere is not followed', async () => {
    const init: RequestInit[] = [];
    const fetch = async (_url: string, options: RequestInit): Promise<Response> => {
      init.push(options);
      return new Response(null, { status: 302, headers: { location: 'https://evil.example/' } });
    };
    providers = new Providers([corp], { clock, fetch });
    expect(await refusal(await people.sign(alice))).toContain('discovery answered 302');
    expect(init).toEqual([expect.objectContaining({ redirect: 'manual' })]);
  });
});

describe('a provider is refused', () => {
  it.each<[string, Provider]>([
    ['on plain http', { ...corp, issuer: 'http://id.corp.example' }],
    [
      'on plain http at a name that only begins like this machine',
      { ...corp, issuer: 'http://127.0.0.1.evil.example' },
    ],
    ['with a bar in its issuer', { ...corp, issuer: 'https://id.corp.example/a|b' }],
    ['with a query in its issuer', { ...corp, issuer: 'https://id.corp.example/?a' }],
    ['with a password in its issuer', { ...corp, issuer: 'https://a:b@id.corp.example' }],
    ['without audience', { ...corp, audience: '' }],
    ['without pinned claims', { ...ci, match: {} }],
    ['that pins nothing about the workload', { ...ci, match: { aud: 'https://gw.example' } }],
    ['under the name for asserted agents', { ...ci, name: 'asserted' }],
  ])('%s', (_name, provider) => {
    expect(() => providersOf(provider)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('when its name is taken, and the ones before stay', async () => {
    expect(() => providers.replace([corp, { ...ci, name: 'corp' }])).toThrow('same name');
    await expect(providers.verify(await people.sign(alice), 'people')).resolves.toBeDefined();
  });

  it.each(['http://127.0.0.1:4000', 'http://localhost:4000/ci', 'http://[::1]:4000'])(
    'but not on loopback: %s',
    (issuer) => {
      expect(() => providersOf({ ...corp, issuer })).not.toThrow();
    },
  );
});
