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
}

/** What clients may take up; the configuration in force says how much. */
export interface ConnectionLimits {
  /** Connections at once, in all. */
  readonly most: number;
  /** From one address. */
  readonly perSource: number;
  /** From one address, of those that have not proved who they are. */
  readonly loginsPerSource: number;
  /** Milliseconds from accept to a proved login. */
  readonly loginTimeout: number;
}

export interface ListenerPorts {
  readonly auth: Authenticator;
  readonly sessions: Sessions;
  readonly limits: () => ConnectionLimits;
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
  readonly #sources = new Map<string, Source>();
  /** Being told that there are too many. */
  #farewells = 0;
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
    const address = socket.remoteAddress ?? '';
    const source = this.#sources.get(address) ?? { connections: 0, logins: 0 };
    socket.on('error', () => {});
    const many = this.#tooMany(source);
    if (many !== undefined) return this.#turnAway(socket, address, many);
    this.#sockets.add(socket);
    this.#sources.set(address, source);
    source.connections += 1;
    source.logins += 1;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      source.connections -= 1;
      if (source.connections === 0) this.#sources.delete(address);
    });
    this.#serve(socket, address, source).catch(this.#ports.onBug);
  }

  #tooMany(source: Source): string | undefined {
    const { most, perSource, loginsPerSource } = this.#ports.limits();
    if (this.#sockets.size >= most) return `the gateway has all its ${most} connections in use`;
    if (source.connections >= perSource) return `this address has all its ${perSource} connections in use`;
    if (source.logins < loginsPerSource) return undefined;
    return `${loginsPerSource} connections of this address have not logged in yet`;
  }

  /** Says why in the protocol's words, while that does not become a flood of its own. */
  #turnAway(socket: Socket, address: string, why: string): void {
    this.#ports.measures.turnedAway += 1;
    if (this.#farewells >= MOST_FAREWELLS) {
      socket.destroy();
      return;
    }
    this.#farewells += 1;
    socket.once('close', () => {
      this.#farewells -= 1;
    });
    socket.resume();
    setTimeout(() => socket.destroy(), FAREWELL).unref();
    const pipe = new Pipe(socket, { address, confidential: false });
    this.#driver.fail(pipe, new Fault('LOGIN_THROTTLED', `too many connections: ${why}`));
  }

  async #serve(socket: Socket, address: string, source: Source): Promise<void> {
    const pipe = new Pipe(socket, { address, confidential: false });
    const limit = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#ports.limits().loginTimeout)]);
    const { logins } = this.#ports.measures;
    let greeted = false;
    try {
      const greeting = await this.#driver.greet(pipe, this.#ports.auth, limit).finally(() => {
        source.logins -= 1;
      });
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
      else this.#ports.onFault(fault, address);
      this.#driver.fail(pipe, fault);
    } finally {
      // Time to say goodbye; then the socket is gone whether the client read it or not.
      setTimeout(() => socket.destroy(), FAREWELL).unref();
    }
  }
}

/** What one address takes up. */
interface Source {
  connections: number;
  logins: number;
}

/** Milliseconds a client may take to hear the last that is said to it. */
const FAREWELL = 1_000;
const MOST_FAREWELLS = 100;
