import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnBackends } from '../../core/backends.ts';
import { asFault, Fault } from '../../core/fault.ts';
import type { Ending, Session } from '../../core/session.ts';
import { writeParameterStatus } from '../../wire/postgres/backend.ts';
import { writeErrorResponse, writeNoticeResponse } from '../../wire/postgres/error-response.ts';
import type { CancelDesk } from './cancel.ts';
import { ClientLane } from './client-lane.ts';
import { Conversation } from './conversation.ts';
import { fatalFault, faultState } from './denial.ts';
import { cancelUpstream, dial } from './dial.ts';
import type { PostgresGreeting } from './greet.ts';
import { TERMINATE } from './messages.ts';
import { ServerLane } from './server-lane.ts';
import { startupSettings } from './settings.ts';
import { asTold, type Welcomes, writeWelcome } from './welcome.ts';

export interface RelayDeps {
  readonly cancels: CancelDesk;
  readonly welcomes: Welcomes;
  readonly backends: OwnBackends;
}

/** Relays one session until either side ends it or it is ended from outside. Resolves when both sockets are let go. */
export async function relay(
  client: Duplex,
  session: Session,
  greeting: PostgresGreeting,
  deps: RelayDeps,
): Promise<void> {
  await new Relay(client, session, greeting, deps).run();
}

class Relay {
  readonly #client: Duplex;
  readonly #session: Session;
  readonly #greeting: PostgresGreeting;
  readonly #deps: RelayDeps;
  readonly #talk: Conversation;
  readonly #asking: ClientLane;
  readonly #answering: ServerLane;
  readonly #over = Promise.withResolvers<void>();
  readonly #welcomeKey: string;
  #told: ReadonlyMap<string, string> | undefined;
  /** Why nothing is read from the target: its client is slower, or revocations cannot be heard. */
  readonly #held = new Set<'client' | 'feed'>();
  #ended = false;

  constructor(client: Duplex, session: Session, greeting: PostgresGreeting, deps: RelayDeps) {
    this.#client = client;
    this.#session = session;
    this.#greeting = greeting;
    this.#deps = deps;
    this.#welcomeKey = JSON.stringify([session.target.name, session.database, session.role]);
    this.#talk = new Conversation(session, client);
    this.#asking = new ClientLane(
      this.#talk,
      () => this.#dial(),
      (thrown) => this.#fail(thrown),
    );
    this.#answering = new ServerLane(this.#talk);
  }

  async run(): Promise<void> {
    const { signal } = this.#session;
    const key = this.#deps.cancels.issue(this.#greeting.minor, () => {
      this.#asking.waits.cancel();
      this.#talk.cancel();
    });
    this.#talk.process = key.process;
    const stop = () => this.#stop(signal.reason as Ending);
    try {
      await this.#welcome((parameters) => writeWelcome(parameters, key));
      this.#listen();
      this.#session.onNotice((message) => this.#notice(message));
      this.#session.onPause((paused) => (paused ? this.#hold('feed') : this.#letGo('feed')));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      await this.#over.promise;
    } catch (thrown) {
      if (signal.aborted) stop();
      else this.#fail(thrown);
    } finally {
      signal.removeEventListener('abort', stop);
      this.#deps.cancels.release(key);
    }
  }

  async #welcome(write: (parameters: ReadonlyMap<string, string>) => Uint8Array): Promise<void> {
    const known = this.#deps.welcomes.get(this.#welcomeKey);
    if (known === undefined) await this.#dial();
    const parameters = this.#talk.upstream?.parameters ?? known ?? new Map<string, string>();
    this.#told = asTold(parameters, this.#greeting, known === undefined);
    this.#client.write(write(this.#told));
  }

  #listen(): void {
    const client = this.#client;
    client.on('data', (chunk: Uint8Array) => this.#asking.receive(chunk));
    client.on('end', () => this.#end('the client left'));
    client.on('close', () => this.#end('the client left'));
    client.on('error', () => this.#end('the client was lost'));
  }

  async #dial(): Promise<void> {
    const { target, database, signal, tag } = this.#session;
    const lease = await this.#session.lease();
    this.#talk.lease = lease;
    const settings = startupSettings(this.#greeting.settings);
    const { role } = lease.credential;
    const assumed: [string, string][] = role === undefined ? [] : [['role', role]];
    const startup = new Map([['database', database], ...settings, ...assumed, ['application_name', tag]]);
    const upstream = await dial(target, lease.credential, startup, signal);
    if (this.#ended) {
      upstream.socket.destroy();
      throw new Fault('ABORTED', 'the session ended while the target was dialled');
    }
    this.#talk.upstream = upstream;
    this.#deps.welcomes.set(this.#welcomeKey, upstream.parameters);
    const { socket, inlet, key } = upstream;
    if (key !== undefined) socket.once('close', this.#deps.backends.opened(lease.credential.user, key.process));
    inlet.to({ room: () => this.#answering.room(), landed: (count) => this.#receive(count) });
    if (this.#held.size > 0) socket.pause();
    socket.on('error', (cause) =>
      this.#fail(new Fault('TARGET_UNREACHABLE', 'the connection to the target broke', { cause })),
    );
    socket.on('close', () => this.#fail(new Fault('TARGET_UNREACHABLE', 'the target closed the connection')));
    this.#tellChanged(asTold(upstream.parameters, this.#greeting, true));
  }

  /** Corrects what the client was told in its welcome, now that the target itself has spoken. */
  #tellChanged(parameters: ReadonlyMap<string, string>): void {
    if (this.#told === undefined) return;
    for (const [name, value] of parameters) {
      if (this.#told.get(name) !== value) this.#talk.toClient.piece(writeParameterStatus(name, value));
    }
  }

  #receive(count: number): void {
    if (this.#ended) return;
    const client = this.#client;
    const answering = this.#answering;
    const began = performance.now();
    try {
      answering.receive(count, client.writableLength > 0);
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    this.#session.tape.took(performance.now() - began);
    this.#talk.flushServer();
    this.#talk.flushClient();
    answering.written(client.writableLength > 0);
    if (client.writableLength < MOST_WAITING || this.#held.has('client')) return;
    this.#hold('client');
    client.once('drain', () => this.#letGo('client'));
  }

  /** The target has to wait: what it sends stays where it is. */
  #hold(by: 'client' | 'feed'): void {
    if (this.#ended) return;
    this.#held.add(by);
    this.#talk.upstream?.socket.pause();
  }

  #letGo(by: 'client' | 'feed'): void {
    this.#held.delete(by);
    if (this.#held.size === 0) this.#talk.upstream?.socket.resume();
  }

  #notice(message: string): void {
    if (this.#ended) return;
    this.#answering.say(writeNoticeResponse({ severity: 'WARNING', code: '01000', message }));
    this.#talk.flushClient();
  }

  #fail(thrown: unknown): void {
    if (this.#ended) return;
    const fault = asFault(thrown);
    this.#talk.toClient.take();
    if (!this.#client.writableEnded && !this.#talk.fatalTold) this.#client.write(fatalFault(fault, this.#session.id));
    this.#end(`${fault.code}: ${fault.message}`, faultState(fault));
  }

  #stop(ending: Ending): void {
    if (this.#ended) return;
    this.#cancelUntilGone();
    this.#talk.toClient.take();
    this.#client.write(
      writeErrorResponse({ severity: 'FATAL', code: '57P01', message: ending.message, detail: ending.cause }),
    );
    this.#end(ending.cause, '57P01', LINGER / 2);
  }

  /** A cancel travels on its own, and may arrive before the statement that it is for. */
  #cancelUntilGone(): void {
    const { upstream } = this.#talk;
    if (upstream?.key === undefined || this.#talk.pending.length === 0) return;
    const { key, socket } = upstream;
    const ask = () => {
      if (!socket.closed) void cancelUpstream(this.#session.target, key);
    };
    ask();
    for (const after of CANCEL_AGAIN) setTimeout(ask, after).unref();
  }

  /** `linger`: how long the client may take to hear it. */
  #end(reason: string, state = CLIENT_GONE, linger = LINGER): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#asking.stop();
    this.#answering.end(state);
    const socket = this.#talk.upstream?.socket;
    if (socket !== undefined && !socket.destroyed) {
      this.#talk.upstream?.inlet.discard();
      // A statement may still run: Terminate is read when it is done, the way a client's own exit would end.
      socket.end(TERMINATE);
      setTimeout(() => socket.destroy(), LINGER).unref();
      socket.resume();
    }
    this.#talk.lease?.release();
    this.#client.end();
    setTimeout(() => this.#client.destroy(), linger).unref();
    // What was being cleared is recorded as cut off before the session is recorded as over.
    const settled = Promise.race([this.#asking.settled, sleep(LINGER, undefined, { ref: false })]);
    void settled.then(() => this.#session.end(reason)).finally(() => this.#over.resolve());
  }
}

/** Bytes that wait for a client before nothing more is read for it. */
const MOST_WAITING = 262_144;

/** connection_failure: nobody was there to be told. */
const CLIENT_GONE = '08006';

/** Milliseconds a socket may take to say goodbye. */
const LINGER = 1000;

/** Milliseconds after which a target that has not let go is asked again to stop. */
const CANCEL_AGAIN = [100, 300, 700];
