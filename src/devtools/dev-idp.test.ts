import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asFault } from '../core/fault.ts';
import { browserLogin, deviceLogin } from '../identity/login.ts';
import { Providers } from '../identity/providers.ts';
import { browseAs } from './browser.ts';
import { type DevIdp, startDevIdp } from './dev-idp.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

let idp: DevIdp;
let providers: Providers;
beforeAll(async () => {
  idp = await startDevIdp();
  providers = new Providers(
    [
      {
        kind: 'people',
        name: 'dev',
        issuer: idp.issuer,
        audience: idp.clientId,
        groupsClaim: 'groups',
        nameClaim: 'email',
      },
      {
        kind: 'workload',
        name: 'ci',
        issuer: idp.ciIssuer,
        audience: 'sallyport',
        match: { repository_id: '123456', ref_protected: 'true' },
        agent: 'ci',
        rights: 'delegated',
      },
    ],
    { clock, cooldown: 0 },
  );
});
afterAll(() => idp.close());

const bob = {
  kind: 'people',
  principal: { kind: 'user', name: 'bob@shop.example', groups: ['dba', 'gateway-approvers'] },
};

describe('a person', () => {
  it('gets an ID token that a gateway takes, through every page and form', async () => {
    const token = await providers.verify(await idp.loginByForms('bob'), 'people');
    expect(token).toMatchObject({ ...bob, session: expect.any(String) });
    expect(token.principal.id).toBe(`${idp.issuer}|bob`);
  });

  it('gets the same one without the dance', async () => {
    expect(await providers.verify(await idp.idToken('bob'), 'people')).toMatchObject(bob);
  });

  it('logs in from a terminal with a browser', async () => {
    let page: Promise<{ text: string }> | undefined;
    const login = await browserLogin({
      issuer: idp.issuer,
      clientId: idp.clientId,
      open: (url) => {
        page = browseAs('bob', url);
      },
    });
    expect(await providers.verify(login.idToken, 'people')).toMatchObject(bob);
    expect(login.expires).toBeGreaterThan(Date.now());
    expect((await page)?.text).toContain('You may close this page');
  });

  it('logs in from a terminal with a code', async () => {
    const login = await deviceLogin({
      issuer: idp.issuer,
      clientId: idp.clientId,
      onPrompt: ({ userCode, completeUrl }) => {
        expect(completeUrl).toContain(userCode);
        void browseAs('bob', completeUrl ?? '');
      },
    });
    expect(await providers.verify(login.idToken, 'people')).toMatchObject(bob);
  }, 15_000);

  it('is not waited for once the login is stopped', async () => {
    const stop = new AbortController();
    const login = browserLogin({
      issuer: idp.issuer,
      clientId: idp.clientId,
      open: () => stop.abort(),
      signal: stop.signal,
    });
    await expect(login).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('is waited for when a page elsewhere sends its own answer to the callback', async () => {
    const answers: number[] = [];
    const login = await browserLogin({
      issuer: idp.issuer,
      clientId: idp.clientId,
      open: async (url) => {
        const callback = new URL(url).searchParams.get('redirect_uri');
        answers.push((await fetch(`${callback}?code=evil&state=guess`)).status);
        answers.push((await fetch(`${callback}?error=access_denied`)).status);
        void browseAs('bob', url);
      },
    });
    expect(answers).toEqual([404, 404]);
    expect(login.idToken).toBeTruthy();
  });

  it.each(['http://id.corp.example', 'ftp://x', 'nonsense'])('is not sent to %s', async (issuer) => {
    await expect(browserLogin({ issuer, clientId: 'x', open: () => {} })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
    });
  });
});

describe('a job', () => {
  it('gets a token like GitHub’s', async () => {
    const response = await fetch(`${idp.ciIssuer}/token`, { method: 'POST', body: JSON.stringify({ job: 'deploy' }) });
    const { value } = (await response.json()) as { value: string };
    const token = await providers.verify(value, 'workload');
    expect(token.agent).toMatchObject({
      id: `${idp.ciIssuer}|repo:acme/shop:ref:refs/heads/main`,
      kind: 'ci',
      assurance: 'attested',
    });
  });

  it('of another repository or an unprotected branch is not ours', async () => {
    for (const job of [{ repositoryId: '9' }, { ref: 'refs/heads/evil' }, { audience: 'other' }, { expiresIn: -60 }]) {
      await expect(idp.ciToken(job).then((token) => providers.verify(token, 'workload'))).rejects.toMatchObject({
        code: 'TOKEN_INVALID',
      });
    }
  });

  it.each(['[]', '{"claims":"x"}', '{"job":1}', 'nonsense'])('is not given a token for %s', async (body) => {
    expect((await fetch(`${idp.ciIssuer}/token`, { method: 'POST', body })).status).toBe(400);
  });
});

describe('the development identity provider', () => {
  it('makes tokens that are wrong in the way a test wants', async () => {
    const wrong = [
      idp.idToken('alice', { audience: 'other' }),
      idp.idToken('alice', { expiresIn: -60 }),
      idp.idToken('alice', { header: { typ: 'at+jwt' } }),
      idp.idToken('alice', { header: { kid: 'other' } }),
      idp.idToken('alice', { claims: { iss: 'https://other.example' } }),
    ];
    for (const token of wrong) {
      const fault = await providers.verify(await token, 'people').catch(asFault);
      expect(fault).toMatchObject({ code: 'TOKEN_INVALID' });
    }
  });

  it('rotates its keys', async () => {
    const [before, job] = [await idp.idToken('alice'), await idp.ciToken()];
    await providers.verify(before, 'people');
    await idp.rotateKeys();
    await expect(providers.verify(await idp.idToken('alice'), 'people')).resolves.toBeDefined();
    await expect(providers.verify(await idp.ciToken(), 'workload')).resolves.toBeDefined();
    await expect(providers.verify(before, 'people')).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    await expect(providers.verify(job, 'workload')).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    await expect(idp.loginByForms('carol').then((token) => providers.verify(token, 'people'))).resolves.toBeDefined();
  });

  it('answers only to its own name', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      request(`${idp.issuer}/ci/jwks`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });
});
