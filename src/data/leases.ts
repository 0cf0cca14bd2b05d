import { Fault } from '../core/fault.ts';
import type { Target } from '../core/target.ts';

/** Milliseconds a session may wait for a place. */
const WAIT = 30_000;

/** Counts upstream connections per target on this worker. Who finds no place queues; who finds the queue full is told. */
export class Leases {
  readonly #held = new Map<string, number>();
  readonly #queues = new Map<string, (() => void)[]>();

  /** Resolves to the release of the place. Throws Fault TARGET_BUSY or ABORTED. */
  async take(target: Target, signal: AbortSignal): Promise<() => void> {
    const { name, connections } = target;
    const held = this.#held.get(name) ?? 0;
    if (held < connections.most) this.#held.set(name, held + 1);
    else await this.#queue(target, signal);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#release(name);
    };
  }

  #queue(target: Target, signal: AbortSignal): Promise<void> {
    const queue = this.#queues.get(target.name) ?? [];
    this.#queues.set(target.name, queue);
    if (queue.length >= target.connections.queue) {
      throw new Fault(
        'TARGET_BUSY',
        `target ${target.name} has all its ${target.connections.most} connections in use and ${queue.length} sessions waiting`,
      );
    }
    return new Promise((resolve, reject) => {
      const give = () => {
        cleanUp();
        resolve();
      };
      const leave = (fault: Fault) => {
        cleanUp();
        const at = queue.indexOf(give);
        if (at >= 0) queue.splice(at, 1);
        reject(fault);
      };
      const gone = () => leave(new Fault('ABORTED', 'the session ended while it waited for a connection'));
      const timer = setTimeout(
        () => leave(new Fault('TARGET_BUSY', `target ${target.name} had no free connection within ${WAIT / 1000} s`)),
        WAIT,
      );
      const cleanUp = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
      };
      signal.addEventListener('abort', gone, { once: true });
      queue.push(give);
    });
  }

  /** The place goes to whoever waited longest, or back. */
  #release(name: string): void {
    const next = this.#queues.get(name)?.shift();
    if (next !== undefined) return next();
    this.#held.set(name, (this.#held.get(name) ?? 1) - 1);
  }
}
