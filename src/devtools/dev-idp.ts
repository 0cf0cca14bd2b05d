/**
 * The development identity provider: people and a CI system on loopback, so that the demo and the tests need no
 * account anywhere. There are no passwords: whoever reaches its port is whoever they say. A gateway must never be told
 * to trust it outside a demo, and nothing that serves imports this room (floors.test.ts).
 *
 * People log in at its root, with the authorization code flow and PKCE or the device flow of a standard library. Jobs
 * get a token from `/ci/token`, in the shape of GitHub Actions'. Keys are made at start and kept nowhere.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { browseAs } from './browser.ts';
import { type CiJob, readJob, signJob } from './ci-issuer.ts';
import { choosePage, errorPage } from './pages.ts';
import { claimsOf, type PersonId, personBy } from './people.ts';
import { CLIENT_ID, type PeopleIssuer, peopleIssuer } from './people-issuer.ts';
import { makeSigner, type Signer } from './signer.ts';

/** What may be different, or wrong, with a token made directly. */
export interface TokenOptions {
  readonly audience?: string;
  /** Seconds; negative: expired. */
  readonly expiresIn?: number;
  readonly session?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: { readonly typ?: string; readonly kid?: string };
}

export interface DevIdp {
  /** Issuer of people's ID tokens; `aud` is `clientId`. */
  readonly issuer: string;
  readonly clientId: string;
  /** Issuer of jobs' tokens. */
  readonly ciIssuer: string;
  /** An ID token without the dance, signed like the others. */
  idToken(person: PersonId, options?: TokenOptions): Promise<string>;
  ciToken(job?: CiJob): Promise<string>;
  /** The real authorization code flow with PKCE, every page and form of it. */
  loginByForms(person: PersonId): Promise<string>;
  /** New keys for both issuers: tokens signed before are worth nothing from now on. */
  rotateKeys(): Promise<void>;
  close(): Promise<void>;
}

interface Issuers {
  readonly people: PeopleIssuer;
  readonly peopleSigner: Signer;
  readonly ciSigner: Signer;
}

export async function startDevIdp(options: { readonly port?: number } = {}): Promise<DevIdp> {
  let issuers: Issuers | undefined;
  const server = createServer((request, response) => {
    const { port } = addressOf(server.address());
    const known = [`127.0.0.1:${port}`, `localhost:${port}`].includes(request.headers.host ?? '');
    // Another Host header is a page elsewhere that had its name point here.
    if (!known || !issuers)
      return send(response, 421, 'text/html', errorPage('This is not the place you are looking for.'));
    route(request, response, issuers, issuer).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      return send(response, 400, 'text/html', errorPage(error instanceof Error ? error.message : 'error'));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${addressOf(server.address()).port}`;
  issuers = await makeIssuers(issuer);

  return {
    issuer,
    clientId: CLIENT_ID,
    ciIssuer: `${issuer}/ci`,
    idToken: (person, token = {}) => personToken(issuer, current(issuers).peopleSigner, person, token),
    ciToken: (job = {}) => signJob(`${issuer}/ci`, current(issuers).ciSigner, job),
    loginByForms: (person) => codeFlow(issuer, person),
    rotateKeys: async () => {
      issuers = await makeIssuers(issuer);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function current(issuers: Issuers | undefined): Issuers {
  if (!issuers) throw new Error('the development identity provider has not started');
  return issuers;
}

/** RS256 for people, as most issuers do, and ES256 for jobs. */
async function makeIssuers(issuer: string): Promise<Issuers> {
  const [peopleSigner, ciSigner] = await Promise.all([makeSigner('RS256'), makeSigner('ES256')]);
  return { people: peopleIssuer(issuer, peopleSigner), peopleSigner, ciSigner };
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  issuers: Issuers,
  issuer: string,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', issuer);
  const ci = `${issuer}/ci`;
  if (pathname === '/ci/.well-known/openid-configuration') {
    const document = { issuer: ci, jwks_uri: `${ci}/jwks`, id_token_signing_alg_values_supported: ['ES256'] };
    return send(response, 200, 'application/json', JSON.stringify(document));
  }
  if (pathname === '/ci/jwks') {
    return send(response, 200, 'application/json', JSON.stringify({ keys: [issuers.ciSigner.publicJwk] }));
  }
  if (pathname === '/ci/token' && request.method === 'POST') {
    const job = readJob(await bodyOf(request));
    if (!job) return send(response, 400, 'application/json', JSON.stringify({ error: 'unknown field or not JSON' }));
    return send(response, 200, 'application/json', JSON.stringify({ value: await signJob(ci, issuers.ciSigner, job) }));
  }
  if (!pathname.startsWith('/interaction/')) return issuers.people.handle(request, response);
  if (request.method !== 'POST') {
    return send(response, 200, 'text/html', choosePage(await issuers.people.interaction(request, response)));
  }
  const person = personBy(new URLSearchParams(await bodyOf(request)).get('person') ?? '');
  if (!person) return send(response, 400, 'text/html', errorPage('Nobody here has that name.'));
  return issuers.people.finish(request, response, person.id);
}

function personToken(issuer: string, signer: Signer, id: PersonId, options: TokenOptions): Promise<string> {
  const person = personBy(id);
  if (!person) throw new Error(`nobody is called ${id}`);
  const now = Math.floor(Date.now() / 1000);
  const { audience = CLIENT_ID, expiresIn = 600, session = randomBytes(12).toString('base64url') } = options;
  const claims = {
    iss: issuer,
    sub: id,
    aud: audience,
    iat: now,
    exp: now + expiresIn,
    sid: session,
    ...claimsOf(person),
  };
  return signer.sign({ ...claims, ...options.claims }, options.header);
}

async function codeFlow(issuer: string, person: PersonId): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const redirect = 'http://127.0.0.1:1/callback';
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: redirect,
    scope: 'openid email profile',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const end = await browseAs(person, `${issuer}/auth?${query.toString()}`, redirect);
  const code = new URL(end.url).searchParams.get('code');
  if (code === null) throw new Error(`no code at ${end.url}: ${end.text}`);
  const form = {
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    code,
    redirect_uri: redirect,
    code_verifier: verifier,
  };
  const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
  const answer: unknown = await response.json();
  if (typeof answer === 'object' && answer !== null && 'id_token' in answer && typeof answer.id_token === 'string') {
    return answer.id_token;
  }
  throw new Error(`no ID token: ${JSON.stringify(answer)}`);
}

function addressOf(address: ReturnType<ReturnType<typeof createServer>['address']>): { port: number } {
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > 16_384) throw new Error('too long');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
