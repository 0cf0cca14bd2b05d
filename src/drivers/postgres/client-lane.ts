import { type Denial, deny } from '../../core/decision.ts';
import { Fault } from '../../core/fault.ts';
import { writeReadyForQuery } from '../../wire/postgres/backend.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { Frontend, frontendLimit, MAX_TEXT } from '../../wire/postgres/types.ts';
import type { Asking } from './asking.ts';
import type { Conversation } from './conversation.ts';
import { BROKEN_PARSE, BROKEN_QUERY, errorOf, sqlState } from './denial.ts';
import * as extended from './extended.ts';
import { query } from './query.ts';
import { Waits } from './waits.ts';

/** What a client may send while its message waits for people; beyond it, it is not read until they have answered. */
const MOST_HEARD = 1024 * 1024;

/**
 * From the client to the target, in order: a message that has to be decided stops the lane until it is, and the
 * client's socket with it. What the protocol lets a server ignore is dropped; what nobody knows ends the connection.
 */
export class ClientLane implements Asking {
  readonly talk: Conversation;
  readonly frame: Framer = new Framer(frontendLimit);
  readonly #dial: () => Promise<void>;
  readonly #fail: (thrown: unknown) => void;
  readonly #waiting: Uint8Array[] = [];
  readonly waits: Waits = new Waits(this);
  /** Settles when the message at hand has been dealt with. */
  settled: Promise<void> = Promise.resolve();
  #busy = false;
  /** Before the loop looks for what sockets have, a client whose message is still dealt with is no longer read. */
  #turn: NodeJS.Immediate | undefined;
  #paused = false;
  /** Bytes taken in while a message waits for people. */
  #heard = 0;
  /** The client was told of an error the server never saw: everything up to Sync is dropped. */
  #skipping = false;
  /** What becomes of the pieces of a large message. */
  #large: 'relay' | 'drop' | 'refuse' = 'drop';
  #done = false;

  /** `fail` ends the connection; it is called at most once. `dial` connects, probes nothing. */
  constructor(talk: Conversation, dial: () => Promise<void>, fail: (thrown: unknown) => void) {
    this.talk = talk;
    this.#dial = dial;
    this.#fail = fail;
  }

  /** The client said goodbye. */
  get done(): boolean {
    return this.#done;
  }

  receive(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    if (!this.#busy) return this.#work();
    this.#heard += chunk.length;
    if (this.#heard > MOST_HEARD) this.#pause();
  }

  listen(): void {
    this.#heard = 0;
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#resume();
  }

  #pauseWhileBusy(): void {
    this.#turn = undefined;
    if (this.#busy && !this.#done) this.#pause();
  }

  #pause(): void {
    this.#paused = true;
    this.talk.client.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.talk.client.resume();
  }

  stop(): void {
    this.#done = true;
    this.#waiting.length = 0;
    this.waits.leave();
  }

  #work(): void {
    try {
      while (!this.#done) {
        const found = this.frame.next();
        if (found === 'none') {
          const chunk = this.#waiting.shift();
          if (chunk === undefined) break;
          this.frame.push(chunk);
          continue;
        }
        const work = found === 'frame' ? this.#message() : found === 'large' ? this.#largeMessage() : this.#piece();
        if (work === undefined) continue;
        this.#busy = true;
        // Mostly it is done by then, and pausing costs as much as deciding.
        this.#turn ??= setImmediate(() => this.#pauseWhileBusy());
        this.settled = work.then(() => {
          this.#busy = false;
          if (this.#done) return;
          this.#work();
          if (!this.#busy) this.#resume();
        }, this.#fail);
        return;
      }
      this.#flush();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #flush(): void {
    this.talk.flushClient();
    if (this.talk.flushServer()) return;
    this.#pause();
    this.talk.upstream?.socket.once('drain', () => {
      if (!this.#busy) this.#resume();
    });
  }

  #message(): Promise<void> | undefined {
    const { talk } = this;
    const { type } = this.frame;
    if (type === Frontend.terminate) {
      this.#done = true;
      talk.client.end();
      return undefined;
    }
    if (type === Frontend.sync) {
      this.#sync();
      return undefined;
    }
    if (this.#skipping || talk.deaf) return undefined;
    switch (type) {
      case Frontend.query:
        return query(this);
      case Frontend.parse:
        return extended.parse(this);
      case Frontend.bind:
        return extended.bind(this);
      case Frontend.describe:
        return extended.describe(this);
      case Frontend.execute:
        return extended.execute(this);
      case Frontend.close:
        return extended.close(this);
      case Frontend.flush:
        if (talk.upstream !== undefined && talk.copyIn === undefined) this.forward();
        return undefined;
      case Frontend.copyData:
        if (talk.pending.copyingIn) this.forward();
        return undefined;
      case Frontend.copyDone:
      case Frontend.copyFail:
        if (!talk.pending.copyingIn) return undefined;
        talk.copyIn = undefined;
        this.forward();
        return undefined;
      case Frontend.functionCall:
        return this.#refused(
          'function call',
          deny('unsupported', 'the function call message is not supported; use SELECT'),
          'simple',
        );
      default:
        throw new Fault('PROTOCOL_UNEXPECTED', `message type 0x${type.toString(16)} where none was awaited`);
    }
  }

  #sync(): void {
    const { talk } = this;
    this.#skipping = false;
    if (talk.upstream === undefined) {
      talk.toClient.piece(writeReadyForQuery('I'));
    } else if (talk.copyIn !== undefined) {
      talk.copyIn.heldSyncs += 1;
    } else {
      talk.skipping = false;
      talk.inPipeline = false;
      talk.bound = false;
      talk.pending.push({ kind: 'sync' });
      talk.boundary();
      this.forward();
    }
  }

  /** Larger than what is kept. Copy data may pass unread; a statement that nobody can read is refused. */
  #largeMessage(): undefined {
    const { type, length } = this.frame;
    switch (type) {
      case Frontend.copyData:
        this.#large = this.talk.pending.copyingIn ? 'relay' : 'drop';
        if (this.#large === 'relay') this.forward();
        return undefined;
      case Frontend.query:
      case Frontend.parse:
      case Frontend.bind:
        this.#large = this.#skipping || this.talk.deaf ? 'drop' : 'refuse';
        return undefined;
      default:
        throw new Fault('PROTOCOL_LIMIT', `message of ${length} bytes, type 0x${type.toString(16)}`);
    }
  }

  #piece(): Promise<void> | undefined {
    if (this.#large === 'relay') this.forward();
    if (this.#large !== 'refuse' || !this.frame.last) return undefined;
    const { type, length } = this.frame;
    const what = type === Frontend.bind ? 'parameters' : 'statement';
    const limit = type === Frontend.bind ? frontendLimit(type) : MAX_TEXT;
    const denial = deny(
      'unreadable',
      `a ${what} message of ${length} bytes is over the limit of ${limit}: what cannot be read is not forwarded`,
    );
    return this.#refused(`(${length} bytes)`, denial, type === Frontend.query ? 'simple' : 'extended', '54000');
  }

  async #refused(text: string, denial: Denial, kind: 'simple' | 'extended', state?: string): Promise<void> {
    await this.talk.session.refused(text, denial);
    this.refuse(denial, kind, state);
  }

  forward(): void {
    this.talk.toServer.region(this.frame.bytes, this.frame.start, this.frame.end);
  }

  refuse(denial: Denial, kind: 'simple' | 'extended', state: string = sqlState(denial.reason)): void {
    const { talk } = this;
    if (talk.deaf) return;
    const error = errorOf(denial, state);
    const simple = kind === 'simple';
    if (talk.upstream === undefined) {
      // Nothing is at stake upstream, so the gateway may answer alone.
      talk.toClient.piece(error);
      if (simple) talk.toClient.piece(writeReadyForQuery('I'));
      else this.#skipping = true;
      return;
    }
    talk.pending.push({ kind: 'refused', error, simple });
    if (simple) talk.boundary();
    talk.toServer.piece(simple ? BROKEN_QUERY : BROKEN_PARSE);
  }

  async connect(): Promise<void> {
    if (this.talk.upstream === undefined) await this.#dial();
  }
}
