import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { Fault } from '../core/fault.ts';
import { isIssuer, isLoopbackHttp } from './provider.ts';

/**
 * The one wrapper of `openid-client`: a person's login from a terminal. For the command line, not for the gateway,
 * which only ever sees the ID token and verifies it itself. Throws Fault LOGIN_FAILED, and ABORTED when told to stop.
 */
export interface PersonLogin {
  readonly idToken: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

export interface LoginOptions {
  readonly issuer: string;
  /** A public client that allows loopback redirects on any port (RFC 8252), or the device flow (RFC 8628). */
  readonly clientId: string;
  readonly scope?: string;
  readonly signal?: AbortSignal;
}

/** What a person must be shown to finish the login on another device. */
export interface DevicePrompt {
  readonly userCode: string;
  readonly url: string;
  /** The same with the code filled in, where the provider has it. */
  readonly completeUrl: string | undefined;
  readonly expires: number;
}

const SCOPE = 'openid email profile';
const PATIENCE = 5 * 60_000;

/** Shows a code to enter elsewhere, and waits until that was done. */
export async function deviceLogin(
  options: LoginOptions & { readonly onPrompt: (prompt: DevicePrompt) => void },
): Promise<PersonLogin> {
  return loggingIn(options, async (config, signal) => {
    const device = await initiateDeviceAuthorization(config, { scope: options.scope ?? SCOPE });
    options.onPrompt({
      userCode: device.user_code,
      url: device.verification_uri,
      completeUrl: device.verification_uri_complete,
      expires: Date.now() + device.expires_in * 1000,
    });
    return pollDeviceAuthorizationGrant(config, device, undefined, { signal });
  });
}

/** Opens the provider's page in a browser and waits for it to come back to this machine. */
export async function browserLogin(
  options: LoginOptions & { readonly open: (url: string) => void | Promise<void> },
): Promise<PersonLogin> {
  return loggingIn(options, async (config, signal) => {
    const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
    const challenge = await calculatePKCECodeChallenge(verifier);
    await using callback = await listen(state, signal);
    const url = buildAuthorizationUrl(config, {
      redirect_uri: callback.redirect,
      scope: options.scope ?? SCOPE,
      state,
      nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    await options.open(url.href);
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    return authorizationCodeGrant(config, await callback.returned, checks);
  });
}

/** The part of a token response that is used. */
interface Tokens {
  readonly id_token?: string | undefined;
  claims(): { readonly exp: number } | undefined;
}

async function loggingIn(
  options: LoginOptions,
  dance: (config: Configuration, signal: AbortSignal) => Promise<Tokens>,
): Promise<PersonLogin> {
  const { issuer, clientId, signal } = options;
  if (!isIssuer(issuer)) throw new Fault('LOGIN_FAILED', `${issuer} is not an https address`);
  const patience = AbortSignal.timeout(PATIENCE);
  const both = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    const insecure = isLoopbackHttp(issuer) ? { execute: [allowInsecureRequests] } : {};
    const config = await discovery(new URL(issuer), clientId, undefined, None(), { timeout: 10, ...insecure });
    const tokens = await dance(config, both);
    const claims = tokens.claims();
    if (tokens.id_token === undefined || !claims) throw new Error('the provider gave no ID token');
    return { idToken: tokens.id_token, expires: claims.exp * 1000 };
  } catch (thrown) {
    if (signal?.aborted) throw new Fault('ABORTED', 'the login was stopped', { cause: thrown });
    if (patience.aborted) throw new Fault('LOGIN_FAILED', 'nobody finished the login in time', { cause: thrown });
    throw new Fault('LOGIN_FAILED', `login at ${issuer} failed: ${describe(thrown)}`, { cause: thrown });
  }
}

interface Callback extends AsyncDisposable {
  readonly redirect: string;
  /** Where the browser came back to. */
  readonly returned: Promise<URL>;
}

/** Waits on loopback for the browser. A request without the right state is somebody else's and is turned away. */
async function listen(state: string, signal: AbortSignal): Promise<Callback> {
  const { promise, resolve, reject } = Promise.withResolvers<URL>();
  promise.catch(() => {}); // may be rejected before anybody waits for it
  const server = createServer((request, response) => answer(request, response));
  let redirect = '';
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = URL.parse(request.url ?? '', redirect);
    const ours = request.method === 'GET' && url?.pathname === '/callback' && url.searchParams.get('state') === state;
    const text = ours ? 'Done. You may close this page and go back to your terminal.' : 'Nothing is here.';
    response
      .writeHead(ours ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
      .end(`${text}\n`, () => {
        if (ours && url) resolve(url);
      });
  };
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', listening);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port for the browser to come back to');
  redirect = `http://127.0.0.1:${address.port}/callback`;
  const stop = (): void => reject(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  return {
    redirect,
    returned: promise,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', stop);
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The provider's own words, where it had some. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const detail =
    'error_description' in thrown && typeof thrown.error_description === 'string' ? thrown.error_description : '';
  const text = detail === '' ? thrown.message : detail;
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 300);
}
