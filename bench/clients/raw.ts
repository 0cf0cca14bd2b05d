import type { Socket } from 'node:net';
import { dial, type Upstream } from '../../src/drivers/postgres/dial.ts';
import type { Inlet } from '../../src/drivers/postgres/inlet.ts';
import { writeQuery } from '../../src/wire/postgres/query.ts';
import type { Target } from '../targets/target.ts';

/** What comes back for one query, chunk by chunk, each good for the call only; true when the answer is complete. Throws what the server said. */
export interface Consumer {
  take(chunk: Uint8Array): boolean;
}

/** Terminate, of which there is one spelling. */
const TERMINATE = Uint8Array.of(0x58, 0, 0, 0, 4);

/** A client that costs next to nothing, so that large results are limited by whoever sends them. */
export class RawClient {
  /** Resolves with the moment at which the other side had closed. */
  readonly gone: Promise<number>;
  readonly #socket: Socket;
  readonly #inlet: Inlet;
  readonly #memory = new Uint8Array(262_144);

  private constructor({ socket, inlet }: Upstream) {
    this.#socket = socket;
    this.#inlet = inlet;
    this.gone = new Promise((resolve) => socket.once('close', () => resolve(performance.now())));
    inlet.discard();
  }

  static async open(target: Target): Promise<RawClient> {
    const upstream = await dial(
      {
        name: target.name,
        protocol: 'postgres',
        address: { host: target.host, port: target.port },
        tls: { mode: target.tls ? 'require' : 'disable' },
        database: target.database,
        databases: [target.database],
        roles: [target.user],
        labels: [],
        mode: 'enforce',
        recording: { mode: 'best-effort', rows: 0 },
        connections: { most: 1, queue: 0 },
      },
      { user: target.user, password: target.password, role: undefined },
      new Map([['database', target.database]]),
      new AbortController().signal,
    );
    upstream.socket.on('error', () => {});
    return new RawClient(upstream);
  }

  ask(text: string, consumer: Consumer): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const settle = (thrown?: unknown) => {
        socket.off('close', closed);
        this.#inlet.discard();
        if (thrown === undefined) resolve();
        else reject(thrown);
      };
      const landed = (count: number) => {
        try {
          if (consumer.take(this.#memory.subarray(0, count))) settle();
        } catch (thrown) {
          settle(thrown);
        }
      };
      const closed = () => settle(new Error('the connection was closed'));
      this.#inlet.to({ room: () => this.#memory, landed });
      socket.on('close', closed);
      socket.write(writeQuery(text));
    });
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.resume().end(TERMINATE);
    await gone;
  }
}
