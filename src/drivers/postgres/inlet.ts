import { once } from 'node:events';
import type { Socket } from 'node:net';

/** Who takes the target's bytes: into memory of its own, as they are read. */
export interface Taker {
  /** Where the next bytes may be written; never empty. */
  room(): Uint8Array;
  /** `count` bytes were written to the start of the room given last. */
  landed(count: number): void;
}

/**
 * Where the target's bytes come in. A plain socket is read straight into the taker's memory, which costs less than
 * memory made for each read; what a TLS socket gives is copied there.
 */
export class Inlet {
  readonly #nobody: Taker = discard();
  #taker: Taker = this.#nobody;
  /** Where the next read goes, and who gave it: the kernel may hold on to it when the taker changes. */
  #room: Uint8Array = this.#taker.room();
  #giver: Taker = this.#taker;

  /** For `net.connect`. */
  readonly onread: { readonly buffer: () => Uint8Array; readonly callback: (count: number) => boolean } = {
    buffer: () => {
      this.#giver = this.#taker;
      this.#room = this.#taker.room();
      return this.#room;
    },
    callback: (count) => {
      if (this.#giver === this.#taker) this.#taker.landed(count);
      else this.#hand(this.#room.subarray(0, count));
      return true;
    },
  };

  /** For a socket that gives its bytes in memory of its own. */
  follow(socket: Socket): void {
    socket.on('data', (chunk: Uint8Array) => this.#hand(chunk));
  }

  to(taker: Taker): void {
    this.#taker = taker;
  }

  /** Whatever still comes is of no interest. */
  discard(): void {
    this.#taker = this.#nobody;
  }

  /** Each read in memory of its own, for a dialogue at its own pace. Ends with the socket; rejects when the signal fires. */
  async *chunks(socket: Socket, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const waiting: Uint8Array[] = [];
    let room = new Uint8Array(0);
    let wake = Promise.withResolvers<void>();
    this.#taker = {
      room: () => {
        room = new Uint8Array(4096);
        return room;
      },
      landed: (count) => {
        waiting.push(room.subarray(0, count));
        wake.resolve();
      },
    };
    const closed = once(socket, 'close', { signal });
    closed.catch(() => undefined);
    for (;;) {
      const chunk = waiting.shift();
      if (chunk !== undefined) yield chunk;
      else if (socket.destroyed) return;
      else {
        await Promise.race([wake.promise, closed]);
        wake = Promise.withResolvers();
      }
    }
  }

  #hand(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const taker = this.#taker;
      const room = taker.room();
      const count = Math.min(room.length, chunk.length - at);
      room.set(chunk.subarray(at, at + count));
      at += count;
      taker.landed(count);
    }
  }
}

/** Memory of its own: what lands there may yet be handed on, and must not lie where another connection reads. */
function discard(): Taker {
  const nowhere = new Uint8Array(512);
  return { room: () => nowhere, landed: () => {} };
}
