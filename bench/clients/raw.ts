import type { Socket } from 'node:net';
import { dial } from '../../src/drivers/postgres/dial.ts';
import { writeQuery } from '../../src/wire/postgres/query.ts';
import type { Target } from '../targets/target.ts';

/** What comes back for one query, chunk by chunk; true when the answer is complete. Throws what the server said. */
export interface Consumer {
  take(chunk: Uint8Array): boolean;
}

/** Terminate, of which there is one spelling. */
const TERMINATE = Uint8Array.of(0x58, 0, 0, 0, 4);

/** A client that costs next to nothing, so that large results are limited by whoever sends them. */
export class RawClient {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(target: Target): Promise<RawClient> {
    const { socket } = await dial(
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
    socket.on('error', () => {});
    return new RawClient(socket);
  }

  ask(text: string, consumer: Consumer): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const settle = (thrown?: unknown) => {
        socket.off('data', data).off('close', closed);
        if (thrown === undefined) resolve();
        else reject(thrown);
      };
      const data = (chunk: Buffer) => {
        try {
          if (consumer.take(chunk)) settle();
        } catch (thrown) {
          settle(thrown);
        }
      };
      const closed = () => settle(new Error('the connection was closed'));
      socket.on('data', data).on('close', closed);
      socket.write(writeQuery(text));
    });
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.resume().end(TERMINATE);
    await gone;
  }
}
