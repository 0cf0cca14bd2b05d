import type { IncomingMessage } from 'node:http';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { createInterface } from 'node:readline';
import { Failure } from './failure.ts';
import { list, object, parseJson, text, texts } from './json.ts';

export type Reach =
  | ({ readonly kind: 'local'; readonly socket: string } & Gateway)
  | ({ readonly kind: 'https' } & Gateway);

interface Gateway {
  /** Its own name for itself, also where it is reached over the local socket. */
  readonly url: string;
  /** PEM; undefined: the system's authorities. */
  readonly ca: string | undefined;
  /** Over the local socket, none means the administrator. */
  readonly pass: string | undefined;
}

const ANSWER_WITHIN_MS = 60_000;
const MAX_ANSWER = 64 * 1024 * 1024;

/** Speaks to a gateway's API. Everything that is not a good answer becomes a Failure in plain words. */
export class GatewayClient {
  readonly reach: Reach;

  constructor(reach: Reach) {
    this.reach = reach;
  }

  /** How the gateway is called, for messages. */
  get name(): string {
    return this.reach.kind === 'local' ? this.reach.socket : this.reach.url;
  }

  /** The same gateway, asked with another pass. */
  withPass(pass: string): GatewayClient {
    const { reach } = this;
    return new GatewayClient({ ...reach, pass });
  }

  async get(path: string): Promise<unknown> {
    return this.#json(await this.#send('GET', path, undefined, undefined));
  }

  async post(path: string, body: object): Promise<unknown> {
    return this.#json(await this.#send('POST', path, 'application/json', JSON.stringify(body)));
  }

  /** A form without a pass in the header: token endpoints take what they need inside. */
  async form(path: string, fields: Readonly<Record<string, string>>): Promise<unknown> {
    const form = new URLSearchParams(fields).toString();
    const type = 'application/x-www-form-urlencoded';
    return this.#json(await this.#send('POST', path, type, form, false));
  }

  /** One value a line, as they come. Ends with a Failure when the stream says that it broke off. */
  async *lines(path: string): AsyncGenerator<unknown> {
    const response = await this.#send('GET', path, undefined, undefined);
    if (response.statusCode !== 200) await this.#json(response);
    try {
      for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
        if (line === '') continue;
        const value = parseJson(line, 'a line of the answer');
        const problem = object(object(value)['problem']);
        if (text(problem['code']) !== '') throw new Failure(text(problem['detail']) || text(problem['code']));
        yield value;
      }
    } finally {
      response.destroy();
    }
    if (!response.complete) throw new Failure('the gateway went away in the middle of its answer');
  }

  #send(
    method: string,
    path: string,
    type: string | undefined,
    body: string | undefined,
    auth = true,
  ): Promise<IncomingMessage> {
    const { reach } = this;
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'sallyport-cli' };
    if (type !== undefined) headers['content-type'] = type;
    if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
    if (auth && reach.pass !== undefined) headers['authorization'] = `Bearer ${reach.pass}`;
    return new Promise((resolve, reject) => {
      const request =
        reach.kind === 'local'
          ? requestPlain({ socketPath: reach.socket, method, path, headers })
          : requestTls(new URL(path, reach.url), {
              method,
              headers,
              ...(reach.ca === undefined ? {} : { ca: reach.ca }),
            });
      // Until the answer begins; a stream that is being followed may be silent for as long as it likes.
      request.setTimeout(ANSWER_WITHIN_MS, () => request.destroy(new Error('no answer within a minute')));
      request.once('response', (response) => {
        request.setTimeout(0);
        resolve(response);
      });
      request.once('error', (error: NodeJS.ErrnoException) => reject(unreachable(error, this.name)));
      request.end(body);
    });
  }

  async #json(response: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER) throw new Failure('the gateway’s answer is too long');
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks).toString('utf8');
    const status = response.statusCode ?? 0;
    const value = body === '' ? {} : parseJson(body, `the answer of ${this.name} (HTTP ${status})`);
    if (status >= 200 && status < 300) return value;
    throw refusal(value, status);
  }
}

/** From a problem (RFC 9457) or an OAuth error. */
function refusal(value: unknown, status: number): Failure {
  const body = object(value);
  const details = texts(body['details']);
  const said = text(body['detail']) || text(body['error_description']) || text(body['error']) || `HTTP ${status}`;
  const more = list(details).length > 0 && !said.includes(details[0] ?? '') ? `\n  ${details.join('\n  ')}` : '';
  const hint = text(body['hint']) || (status === 401 ? 'Log in with "sallyport login", or set SALLYPORT_PASS.' : '');
  const request = text(body['request']);
  const inside = status >= 500 && request !== '' ? ` (${text(body['code'])}, request ${request})` : '';
  return new Failure(`${said}${more}${inside}`, hint === '' ? {} : { hint });
}

function unreachable(error: NodeJS.ErrnoException, name: string): Failure {
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return new Failure(`nothing answers at ${name}`, {
        hint: 'Is the gateway running? Start it with "sallyport serve".',
      });
    case 'ENOTFOUND':
      return new Failure(`${name} is not a known host`);
    case 'EACCES':
    case 'EPERM':
      return new Failure(`${name} may only be used by its owner`, { hint: 'Use --url with a login of your own.' });
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return new Failure(`the certificate of ${name} is not signed by anybody trusted here`, {
        hint: 'Give the gateway’s authority with --ca FILE (a gateway that made its own has it in data/tls/ca.pem).',
      });
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return new Failure(`the certificate of ${name} is for another name`);
    default:
      return new Failure(`${name} could not be reached: ${error.message}`);
  }
}
