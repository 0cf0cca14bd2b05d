import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createApp } from './app.ts';
import { readForm } from './form.ts';
import { FakeControl, grantOf, NEW_PASS } from './testing/fakes.ts';

const EXCHANGE = 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange';

let fake: FakeControl;
let app: ReturnType<typeof createApp>;

beforeEach(() => {
  fake = new FakeControl();
  fake.add('alice', grantOf('alice'));
  app = createApp({ ports: fake.ports(), isLocal: () => false, onFault: () => undefined });
});

function post(url: string, payload: string, type = 'application/x-www-form-urlencoded') {
  return app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } });
}

describe('the token endpoint', () => {
  it('answers with a pass as the contract says, not to be stored', async () => {
    const response = await post('/oauth/token', `${EXCHANGE}&subject_token=alice`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.json()).toEqual({
      access_token: NEW_PASS,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3600,
      grant_id: grantOf('alice').id,
      connect_by: '2026-10-01T13:00:00.000Z',
      summary: 'may do things',
    });
  });

  it.each([
    ['a parameter that stands twice', `${EXCHANGE}&subject_token=a&subject_token=b`, 'invalid_request'],
    [
      'a parameter that stands twice in two spellings',
      `${EXCHANGE}&subject_token=a&subject%5Ftoken=b`,
      'invalid_request',
    ],
    ['bytes that are not UTF-8', `${EXCHANGE}&subject_token=%ff`, 'invalid_request'],
    [
      'too many parameters',
      `${EXCHANGE}${Array.from({ length: 40 }, (_, i) => `&p${i}=x`).join('')}`,
      'invalid_request',
    ],
    ['a token that is not known', `${EXCHANGE}&subject_token=nobody`, 'invalid_request'],
  ])('refuses %s in OAuth’s words', async (_name, body, error) => {
    const response = await post('/oauth/token', body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error, error_description: expect.any(String) });
  });

  it('names what did not fit', async () => {
    const response = await post('/oauth/token', `${EXCHANGE}&subject_token=nobody`);
    expect(response.json().details).toEqual(['subject_token: unknown']);
  });

  it('takes nothing but a form', async () => {
    const json = await post('/oauth/token', JSON.stringify({ grant_type: 'x' }), 'application/json');
    expect(json.statusCode).toBe(400);
    const text = await post('/oauth/token', JSON.stringify(`${EXCHANGE}&subject_token=alice`), 'application/json');
    expect(text.statusCode).toBe(400);
    expect((await post('/oauth/token', 'x', 'text/plain')).statusCode).toBe(415);
    expect((await post('/oauth/token', 'x', 'application/xml')).statusCode).toBe(415);
    expect((await post('/oauth/token', `a=${'x'.repeat(300_000)}`)).statusCode).toBe(413);
    expect(fake.forms).toEqual([]);
  });

  it('slows down whoever floods it', async () => {
    for (let i = 0; i < 60; i++) await post('/oauth/token', EXCHANGE);
    expect((await post('/oauth/token', EXCHANGE)).statusCode).toBe(429);
  });

  it('tells the same of an unknown token at revocation, and nothing of an inactive one', async () => {
    expect((await post('/oauth/revoke', 'token=alice')).statusCode).toBe(200);
    expect((await post('/oauth/revoke', 'token=alice')).statusCode).toBe(200);
    expect((await post('/oauth/introspect', 'token=alice')).json()).toEqual({ active: false });
    expect((await post('/oauth/introspect', '')).json()).toMatchObject({ error: 'invalid_request' });
  });

  it('is found by its metadata', async () => {
    const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json();
    expect(metadata).toMatchObject({
      issuer: 'https://gw.example.com',
      token_endpoint: 'https://gw.example.com/oauth/token',
    });
  });
});

describe('a form', () => {
  it('reads what was written', () => {
    const fields = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.string(), {
      maxKeys: 20,
    });
    fc.assert(
      fc.property(fields, (written) => {
        const read = readForm(new URLSearchParams(written).toString());
        expect(read).toBeInstanceOf(URLSearchParams);
        expect(Object.fromEntries(read as URLSearchParams)).toEqual({ ...written });
      }),
    );
  });

  it('is a form or an error, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readForm(text)).toBeTypeOf('object');
      }),
    );
  });
});
