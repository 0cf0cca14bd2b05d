import { once } from 'node:events';
import { writePlainBind } from '../../../src/wire/postgres/bind.ts';
import { writeDescribe } from '../../../src/wire/postgres/describe.ts';
import { readReport } from '../../../src/wire/postgres/error-response.ts';
import { writeExecute } from '../../../src/wire/postgres/execute.ts';
import { writeParse } from '../../../src/wire/postgres/parse.ts';
import { writeQuery } from '../../../src/wire/postgres/query.ts';
import { RawClient, type Seen } from '../raw-client.ts';

export type Protocol = 'simple' | 'extended';

export interface Login {
  readonly port: number;
  readonly user: string;
  readonly secret: string;
  readonly database: string;
}

const PATIENCE = 10_000;
const SYNC = message('S');
const COPY_DONE = message('c');

/** A session of which every byte that was answered is kept. */
export class Session {
  readonly #client: RawClient;
  /** I, T or E, as the last ReadyForQuery had it. */
  status = 'I';

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async open(login: Login): Promise<Session> {
    const client = await RawClient.open(login.port);
    await client.login(login.user, login.secret, login.database);
    return new Session(client);
  }

  get closed(): boolean {
    return this.#client.closed || this.#client.socket.destroyed;
  }

  /** All that is said to a statement, as text; `closed` at its end if the session did not outlive it. */
  async ask(text: string, protocol: Protocol = 'simple'): Promise<string[]> {
    const client = this.#client;
    client.seen.length = 0;
    if (protocol === 'simple') client.send(writeQuery(text));
    else {
      client.send(
        writeParse({ statement: '', text, types: [] }),
        writePlainBind('', ''),
        writeDescribe({ kind: 'portal', name: '' }),
        writeExecute({ portal: '', rows: 0 }),
        SYNC,
      );
    }
    const until = performance.now() + PATIENCE;
    for (let fed = 0; !client.closed && !client.seen.some((one) => one.type === 'Z'); ) {
      const wanted = client.seen.filter((one) => one.type === 'G').length;
      for (; fed < wanted; fed++) {
        client.send(message('d', copyData(text)), COPY_DONE, ...(protocol === 'simple' ? [] : [SYNC]));
      }
      const left = until - performance.now();
      if (left <= 0) {
        client.close();
        return [...this.#told(), 'no answer'];
      }
      await this.#more(left);
    }
    this.status = client.seen.findLast((one) => one.type === 'Z')?.body.toString() ?? 'I';
    return [...this.#told(), ...(client.closed ? ['closed'] : [])];
  }

  /** Until something came, the connection ended, or the time is over. */
  async #more(milliseconds: number): Promise<void> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), milliseconds);
    const { socket } = this.#client;
    const events = ['data', 'close'].map((event) => once(socket, event, { signal: over.signal }).catch(() => {}));
    await Promise.race(events);
    clearTimeout(timer);
    over.abort();
  }

  close(): void {
    this.#client.close();
  }

  #told(): string[] {
    return this.#client.seen.map(spoken).filter((one) => one !== '');
  }
}

// A comment that begins with `<` holds what a COPY FROM STDIN is fed with; `\n` and `\t` as spelled.
function copyData(text: string): Buffer {
  const data = /\/\*<(.*?)\*\//.exec(text)?.[1] ?? '';
  return Buffer.from(data.replaceAll('\\n', '\n').replaceAll('\\t', '\t'));
}

function message(type: string, body: Buffer = Buffer.alloc(0)): Uint8Array {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function spoken({ type, body }: Seen): string {
  if (type === 'E' || type === 'N') {
    const report = readReport(body, 0, body.length);
    return alike(`${type} ${[...report].map(([key, value]) => `${key}=${value}`).join(' ')}`);
  }
  return alike(`${type} ${body.toString('latin1').replaceAll('\0', ' ')}`);
}

/** Without what no two runs have in common: names of the twins and ids of requests, times, process ids, memory. */
function alike(text: string): string {
  return text
    .replaceAll(/\b(twin|proof)_[ab]\b/g, 'twin')
    .replaceAll(/\brequest \w{22}|\buntil \d{4}-\d\d-\d\dT[\d:]{8}Z/g, 'request')
    .replaceAll(
      /(Planning Time|Execution Time|[Tt]ime|Memory( Usage)?|Total Cost|Timing)"?[:=] *"?[\d.]+( *\.\. *[\d.]+)?/g,
      '$1',
    );
}
