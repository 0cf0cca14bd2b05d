import type { Operation } from '../../core/operation.ts';
import type { Patience } from '../../core/session.ts';
import { writeNoticeResponse } from '../../wire/postgres/error-response.ts';
import type { Asking } from './asking.ts';
import { SYNC } from './messages.ts';
import { isRefusal, read, resolve, settle } from './reading.ts';

/**
 * How this connection waits for people. While it does, the client's socket is read, so that its leaving is noticed;
 * what it sends meanwhile stays in the lane.
 */
export class Waits {
  readonly #asking: Asking;
  #controller: AbortController | undefined;
  #isGone = false;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  for(operation: Operation): Patience {
    return new Waiting(this, operation);
  }

  /** Aborted when the client takes back what is held, or is gone. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGone) this.#controller.abort();
    return this.#controller.signal;
  }

  /** The client takes back what is held, if anything is. */
  cancel(): void {
    this.#controller?.abort();
  }

  /** The client is gone: nothing waits any more. */
  leave(): void {
    this.#isGone = true;
    this.cancel();
  }

  /** Waiting is over; cancelling after this is for the server. */
  over(): void {
    this.#controller = undefined;
  }

  async settle(): Promise<boolean> {
    const asking = this.#asking;
    const { talk } = asking;
    if (talk.upstream === undefined || talk.copyIn !== undefined || talk.bound) return false;
    await settle(asking);
    if (talk.deaf || talk.status !== 'I' || talk.bound) return false;
    if (talk.inPipeline) {
      // A statement that was only parsed has opened a transaction, with locks on what it names: a Sync ends it.
      const synced = new Promise<'answered' | 'skipped'>((settled) => {
        talk.pending.push({ kind: 'sync', silent: true, settled });
      });
      talk.inPipeline = false;
      talk.boundary();
      talk.toServer.piece(SYNC);
      talk.flushServer();
      if ((await synced) === 'skipped' || talk.status !== 'I') return false;
    }
    asking.listen();
    return true;
  }

  tell(message: string): void {
    const { talk } = this.#asking;
    talk.toClient.piece(writeNoticeResponse({ severity: 'NOTICE', code: '00000', message }));
    talk.flushClient();
  }

  async unchanged(operation: Operation): Promise<boolean> {
    const asking = this.#asking;
    const { session } = asking.talk;
    // Minutes may have passed: what others changed at the target counts, whether or not anybody was told of it.
    session.reader.changed(session.target.name, session.database);
    const written = await read(asking, operation.text);
    const facts = isRefusal(written) ? written : await resolve(asking, written);
    return !isRefusal(facts) && JSON.stringify(facts) === JSON.stringify(operation.facts);
  }
}

/** One operation that may be held. Nearly none is, so there is nothing more to it until then. */
class Waiting implements Patience {
  readonly #waits: Waits;
  readonly #operation: Operation;

  constructor(waits: Waits, operation: Operation) {
    this.#waits = waits;
    this.#operation = operation;
  }

  get signal(): AbortSignal {
    return this.#waits.signal;
  }

  settle(): Promise<boolean> {
    return this.#waits.settle();
  }

  tell(message: string): void {
    this.#waits.tell(message);
  }

  unchanged(): Promise<boolean> {
    return this.#waits.unchanged(this.#operation);
  }
}
