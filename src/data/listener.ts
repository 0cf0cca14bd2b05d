import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { asFault, Fault } from '../core/fault.ts';
import type { Authenticator } from '../core/login.ts';
import type { Measures } from '../core/measures.ts';
import type { Greeting, Sessions } from '../core/session.ts';
import type { Driver } from '../drivers/driver.ts';
import { Pipe } from '../drivers/pipe.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds from accept to a proved login. */
  readonly loginTimeout?: number;
  /** Connections at once from one address, and in all. */
  readonly perSource?: number;
  readonly most?: number;
}

export interface ListenerPorts {
  readonly auth: Authenticator;
  readonly sessions: Sessions;
  readonly measures: Pick<Measures, 'logins' | 'turnedAway'>;
  /** Something went wrong that no client did. */
  readonly onBug: (thrown: unknown) => void;
  /** A connection ended by a fault: for the log, since the client is told little. */
  readonly onFault: (fault: Fault, source: string) => void;
}

/** One port of the data plane: accepts, lets the driver greet, and hands what it said to the door. */
export class Listener<G extends Greeting> {
  readonly #driver: Driver<G>;
  readonly #ports: ListenerPorts;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sources = new Map<string, number>();
  readonly #closing = new AbortController();

  constructor(driver: Driver<G>, ports: ListenerPorts, options: ListenerOptions) {
    this.#driver = driver;
    this.#ports = ports;
    this.#options = options;
    this.#server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, pauseOnConnect: false },
      (socket) => this.#accept(socket),
    );
  }

  /** Resolves to the port that is listened on. Throws Fault CONFLICT when it cannot be had. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    this.#server.listen({ host, port, backlog: 1024 });
    try {
      await once(this.#server, 'listening');
    } catch (cause) {
      const why = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
      throw new Fault('CONFLICT', `${host}:${port} cannot be listened on${why}: is another gateway running?`, {
        cause,
      });
    }
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Takes no more connections; those in login end, sessions are ended by whoever owns them. */
  async close(): Promise<void> {
    this.#closing.abort();
    const closed = once(this.#server, 'close');
    this.#server.close();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, 2_000);
    await closed;
    clearTimeout(timer);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  #accept(socket: Socket): void {
    const source = socket.remoteAddress ?? '';
    const { perSource = 2_000, most = 20_000 } = this.#options;
    const held = this.#sources.get(source) ?? 0;
    socket.on('error', () => {});
    if (held >= perSource || this.#sockets.size >= most) {
      this.#ports.measures.turnedAway += 1;
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#sources.set(source, held + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#sources.get(source) ?? 1) - 1;
      if (left > 0) this.#sources.set(source, left);
      else this.#sources.delete(source);
    });
    this.#serve(socket, source).catch(this.#ports.onBug);
  }

  async #serve(socket: Socket, source: string): Promise<void> {
    const pipe = new Pipe(socket, { address: source, confidential: false });
    const limit = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#options.loginTimeout ?? 30_000)]);
    const { logins } = this.#ports.measures;
    let greeted = false;
    try {
      const greeting = await this.#driver.greet(pipe, this.#ports.auth, limit);
      greeted = true;
      if (greeting === undefined) pipe.stream.end();
      else if ('effect' in greeting) {
        logins.refused += 1;
        this.#driver.refuse(pipe, greeting);
      } else {
        logins.accepted += 1;
        await this.#driver.serve(pipe, this.#ports.sessions, greeting);
      }
    } catch (thrown) {
      if (!greeted) logins.failed += 1;
      const fault = asFault(thrown);
      if (fault.code === 'INTERNAL') this.#ports.onBug(thrown);
      else this.#ports.onFault(fault, source);
      this.#driver.fail(pipe, fault);
    } finally {
      // Time to say goodbye; then the socket is gone whether the client read it or not.
      setTimeout(() => socket.destroy(), 1_000).unref();
    }
  }
}
