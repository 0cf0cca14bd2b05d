import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScramClient } from '../../src/drivers/postgres/scram-client.ts';
import { type Authentication, readAuthentication } from '../../src/wire/postgres/authentication.ts';
import { readReport } from '../../src/wire/postgres/error-response.ts';
import { Framer } from '../../src/wire/postgres/framer.ts';
import { writeSaslInitial, writeSaslResponse } from '../../src/wire/postgres/sasl.ts';
import { writeStartup } from '../../src/wire/postgres/startup.ts';

/** A message as it came, for looking at. */
export interface Seen {
  readonly type: string;
  readonly body: Buffer;
}

/** Speaks bytes: for what no well-behaved client would send. */
export class RawClient {
  readonly socket: Socket;
  readonly seen: Seen[] = [];
  /** What came during login. */
  welcome: readonly Seen[] = [];
  closed = false;
  readonly #framer = new Framer(() => 1 << 28);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: Buffer) => {
      this.#framer.push(chunk);
      try {
        while (this.#framer.next() === 'frame') {
          const { bytes, start, end, type } = this.#framer;
          this.seen.push({ type: String.fromCharCode(type), body: Buffer.from(bytes.subarray(start + 5, end)) });
        }
      } catch {
        // A single byte (S, N) before the protocol proper.
      }
    });
  }

  /** `from`: the address it comes from, any of 127.0.0.0/8. */
  static async open(port: number, from = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(...parts: readonly (Uint8Array | string)[]): void {
    for (const part of parts) this.socket.write(part);
  }

  /** Waits until `until` holds for what was seen, or the socket closed, or the time is over. */
  async wait(until: (seen: readonly Seen[]) => boolean, milliseconds = 5_000): Promise<readonly Seen[]> {
    for (const end = performance.now() + milliseconds; performance.now() < end; ) {
      if (until(this.seen) || this.closed) return this.seen;
      await sleep(5);
    }
    return this.seen;
  }

  /** Logs in with SCRAM on a plain connection, up to the first ReadyForQuery. */
  async login(
    user: string,
    secret: string,
    database: string,
    startup: (parameters: Map<string, string>) => Uint8Array = writeStartup,
  ): Promise<void> {
    this.send(
      startup(
        new Map([
          ['user', user],
          ['database', database],
        ]),
      ),
    );
    const asked = await this.#authentication(0);
    const scram = new ScramClient(secret, asked.kind === 'sasl' ? asked.mechanisms : [], undefined);
    this.send(writeSaslInitial(scram.mechanism, scram.first()));
    const challenge = await this.#authentication(1);
    this.send(writeSaslResponse(await scram.answer(challenge.kind === 'sasl-continue' ? challenge.data : '')));
    const final = await this.#authentication(2);
    scram.verify(final.kind === 'sasl-final' ? final.data : '');
    await this.wait((seen) => seen.some((one) => one.type === 'Z'));
    this.welcome = this.seen.splice(0);
  }

  async #authentication(index: number): Promise<Authentication> {
    const mine = (seen: readonly Seen[]) => seen.filter((one) => one.type === 'R');
    const message = mine(await this.wait((seen) => mine(seen).length > index))[index];
    if (message === undefined) throw new Error(`no authentication message: ${this.errors().join(' ')}`);
    return readAuthentication(message.body, 0, message.body.length);
  }

  /** Sends, and gives the types of the messages that came until the given number of ReadyForQuery. */
  async ask(ready: number, ...parts: readonly Uint8Array[]): Promise<string> {
    this.seen.length = 0;
    this.send(...parts);
    await this.wait((seen) => seen.filter((one) => one.type === 'Z').length >= ready);
    return this.seen.map((one) => one.type).join('');
  }

  /** SQLSTATEs of the errors seen. */
  errors(): string[] {
    return this.seen
      .filter((one) => one.type === 'E')
      .map((one) => readReport(one.body, 0, one.body.length).get('C') ?? '');
  }

  close(): void {
    this.socket.destroy();
  }
}
