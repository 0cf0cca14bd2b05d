import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CatalogSnapshot } from '../../core/catalog.ts';
import type { SqlFacts, SqlScope } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import type { ViewDefinition, ViewLineage } from '../../sql/postgres/lineage.ts';
import type { Reply, Request } from './messages.ts';

export interface ReadingOptions {
  /** Milliseconds one statement may take. */
  readonly deadline?: number;
  /** Milliseconds the process may take to start, and to take in a catalog. */
  readonly startWithin?: number;
  /** Statements waiting at most; more are refused. */
  readonly most?: number;
  /** What the process runs: tests have one that can be slow. */
  readonly program?: URL;
}

type Question = Extract<Request, { kind: 'read' | 'trace' }>;
type Answer = Extract<Reply, { kind: 'facts' | 'lineage' }>;

interface Waiting {
  readonly request: Question;
  readonly snapshot: CatalogSnapshot;
  /** A catalog is on its way ahead of it: a large one takes longer to arrive than any statement to read. */
  behindCatalog: boolean;
  readonly settle: (answer: Answer) => void;
  readonly fail: (fault: Fault) => void;
}

/** The cause of the fault of a statement that cost the process its life. */
export const GIVEN_UP: unique symbol = Symbol('given up');

const PROGRAM = new URL('./program.ts', import.meta.url);

/** Where its code lies, the parser's with it. */
const READABLE = [new URL('../../../', import.meta.url), new URL('./', import.meta.resolve('libpg-query'))];

/** Neither the gateway's environment, where secrets may be, nor anything else to read; nothing to write, no processes. */
const CONFINED = {
  env: {},
  execArgv: [
    '--permission',
    ...READABLE.map((folder) => `--allow-fs-read=${fileURLToPath(folder)}`),
    '--max-old-space-size=1024',
  ],
};

/** Wall-clock time: a machine with other work must not make honest statements fail, which take well below a millisecond. */
const DEADLINE = 1_000;
const START_WITHIN = 15_000;
const MOST_WAITING = 10_000;

/**
 * The reading process from outside. A statement that takes too long or damages the parser costs the process its life and
 * fails alone; whatever waited behind it is read again by a fresh one. A process and not a thread, because engines abort
 * as a whole: a thread out of memory, or ended in the wrong moment, can take the gateway with it (docs/adr/0018).
 */
export class ReadingProcess {
  readonly #options: ReadingOptions;
  /** Sent and not answered, in order: the first is the one being read. */
  readonly #waiting: Waiting[] = [];
  #child: ChildProcess | undefined;
  #ready = false;
  /** Processes so far. */
  started = 0;
  #outbox: Request[] = [];
  /** Epochs the process has, by database and what they are for: views are traced before there are labels. */
  #known = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #next = 1;
  #closed = false;

  constructor(options: ReadingOptions = {}) {
    this.#options = options;
    this.#start();
  }

  /** Questions sent and not answered. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async read(text: string, scope: SqlScope, snapshot: CatalogSnapshot): Promise<SqlFacts> {
    const answer = await this.#ask({ kind: 'read', id: this.#next++, text, scope, epoch: snapshot.epoch }, snapshot);
    if (answer.kind !== 'facts') throw new Fault('SQL_UNREADABLE', 'the reading process answered something else');
    return answer.facts;
  }

  /** Where the columns of views come from; views of which that cannot be told are left out. All of them share the time one statement has. */
  async trace(definitions: readonly ViewDefinition[], snapshot: CatalogSnapshot): Promise<readonly ViewLineage[]> {
    const answer = await this.#ask({ kind: 'trace', id: this.#next++, definitions, epoch: snapshot.epoch }, snapshot);
    if (answer.kind !== 'lineage') throw new Fault('SQL_UNREADABLE', 'the reading process answered something else');
    return answer.views;
  }

  #ask(request: Question, snapshot: CatalogSnapshot): Promise<Answer> {
    if (this.#closed) return Promise.reject(new Fault('ABORTED', 'the gateway is stopping'));
    if (this.#waiting.length >= (this.#options.most ?? MOST_WAITING)) {
      return Promise.reject(new Fault('SQL_UNREADABLE', 'too many statements are waiting to be read; try again'));
    }
    return new Promise((settle, fail) => {
      const waiting: Waiting = { request, snapshot, behindCatalog: false, settle, fail };
      this.#waiting.push(waiting);
      if (this.#child === undefined) return this.#start();
      this.#send(waiting);
      if (this.#waiting.length === 1) this.#watch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { fail } of this.#waiting.splice(0)) fail(new Fault('ABORTED', 'the gateway is stopping'));
    await ended(this.#child);
  }

  #start(): void {
    this.started += 1;
    this.#ready = false;
    this.#known = new Map();
    this.#outbox = [];
    const child = this.#fork();
    this.#child = child;
    if (child === undefined) {
      clearTimeout(this.#timer);
      for (const { fail } of this.#waiting.splice(0)) fail(new Fault('SQL_UNREADABLE', 'nothing can be read just now'));
      return;
    }
    child.unref();
    child.channel?.unref();
    child.on('message', (reply) => {
      if (child === this.#child) this.#receive(reply as Reply);
    });
    const lost = () => {
      if (child === this.#child && !this.#closed) this.#replace('the statement could not be read');
    };
    child.on('error', lost);
    child.on('exit', lost);
    for (const waiting of this.#waiting) this.#send(waiting);
    this.#watch();
  }

  /** Most of what goes wrong is told by `error`; what the machine has no memory for is thrown. */
  #fork(): ChildProcess | undefined {
    try {
      return fork(this.#options.program ?? PROGRAM, [], {
        ...CONFINED,
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
    } catch {
      return undefined;
    }
  }

  /** Requests of one tick travel in one message. */
  #send(waiting: Waiting): void {
    const { request, snapshot } = waiting;
    waiting.behindCatalog = false;
    if (this.#outbox.length === 0) queueMicrotask(() => this.#post());
    const database = JSON.stringify([snapshot.target, snapshot.database, request.kind]);
    const known = this.#known.get(database);
    if (known !== snapshot.epoch) {
      if (known !== undefined) this.#outbox.push({ kind: 'forget', epoch: known });
      this.#outbox.push({ kind: 'catalog', snapshot });
      waiting.behindCatalog = true;
      this.#known.set(database, snapshot.epoch);
    }
    this.#outbox.push(request);
  }

  #post(): void {
    if (this.#outbox.length === 0) return;
    // Whoever cannot be told is gone or never came up (then there is no channel), and `exit` or `error` says so.
    if (this.#child?.connected) this.#child.send(this.#outbox, () => {});
    this.#outbox = [];
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'ready') {
      this.#ready = true;
      this.#watch();
      return;
    }
    if (reply.kind === 'indexed') {
      const waited = this.#waiting.find((each) => each.behindCatalog && each.request.epoch === reply.epoch);
      if (waited) waited.behindCatalog = false;
      this.#watch();
      return;
    }
    const [first] = this.#waiting;
    if (first === undefined || first.request.id !== reply.id)
      return this.#replace('the reading process lost its order');
    if (reply.kind === 'broken') return this.#replace('the statement is more than the parser can read');
    this.#waiting.shift();
    this.#watch();
    if (reply.kind === 'fault') first.fail(new Fault(reply.code, reply.message));
    else first.settle(reply);
  }

  /** Gives the statement being read its time, from now on. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { deadline = DEADLINE, startWithin = START_WITHIN } = this.#options;
    this.#timer = setTimeout(
      () => this.#replace('the statement took too long to read'),
      this.#ready && !first.behindCatalog ? deadline : startWithin,
    );
  }

  /** The process is given up; the statement it was at is refused, the others go to the next. */
  #replace(why: string): void {
    const { fail, behindCatalog } = this.#waiting.shift() ?? {};
    // Where it was not at the statement yet, something else cost it its life.
    const isGuilty = this.#ready && behindCatalog === false;
    const child = this.#child;
    this.#child = undefined;
    void ended(child);
    // One that does not even start is tried again when there is something to read, not over and over.
    if (this.#ready || this.#waiting.length > 0) this.#start();
    fail?.(new Fault('SQL_UNREADABLE', why, isGuilty ? { cause: GIVEN_UP } : {}));
  }
}

function ended(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  child.ref();
  child.kill('SIGKILL');
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
  });
}
