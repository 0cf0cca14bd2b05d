import { setTimeout as after } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { CatalogSnapshot } from '../../core/catalog.ts';
import type { SqlFacts, SqlScope } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import type { ViewDefinition, ViewLineage } from '../../sql/postgres/lineage.ts';
import type { Reply, Request } from './messages.ts';

export interface ThreadOptions {
  /** Milliseconds one statement may take. */
  readonly deadline?: number;
  /** Milliseconds the thread may take to start, and to take in a catalog. */
  readonly startWithin?: number;
  /** Statements waiting at most; more are refused. */
  readonly most?: number;
  /** What the thread runs: tests have one that can be slow. */
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

const PROGRAM = new URL('./worker.ts', import.meta.url);

/** How long a thread that was given up may take to go, before the next is started beside it. */
const GONE_WITHIN = 1_000;

/** Wall-clock time: a machine with other work must not make honest statements fail, which take well below a millisecond. */
const DEADLINE = 1_000;
const START_WITHIN = 15_000;
const MOST_WAITING = 10_000;

/**
 * The reading thread from outside. A statement that takes too long or damages the parser costs the thread its life and
 * fails alone; whatever waited behind it is read again by a fresh one. That is the second net: what a statement may
 * hold is counted while it is read (sql/postgres/effort.ts), because a thread that runs out of memory can take the
 * process with it.
 */
export class ReadingThread {
  readonly #options: ThreadOptions;
  /** Sent and not answered, in order: the first is the one being read. */
  readonly #waiting: Waiting[] = [];
  /** Undefined while one given up is on its way out. */
  #worker: Worker | undefined;
  #going: Promise<void> = Promise.resolve();
  #ready = false;
  #outbox: Request[] = [];
  /** Epochs the thread has, by database and what they are for: views are traced before there are labels. */
  #known = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #next = 1;
  #closed = false;

  constructor(options: ThreadOptions = {}) {
    this.#options = options;
    this.#start();
  }

  async read(text: string, scope: SqlScope, snapshot: CatalogSnapshot): Promise<SqlFacts> {
    const answer = await this.#ask({ kind: 'read', id: this.#next++, text, scope, epoch: snapshot.epoch }, snapshot);
    if (answer.kind !== 'facts') throw new Fault('SQL_UNREADABLE', 'the reading thread answered something else');
    return answer.facts;
  }

  /** Where the columns of views come from; views of which that cannot be told are left out. All of them share the time one statement has. */
  async trace(definitions: readonly ViewDefinition[], snapshot: CatalogSnapshot): Promise<readonly ViewLineage[]> {
    const answer = await this.#ask({ kind: 'trace', id: this.#next++, definitions, epoch: snapshot.epoch }, snapshot);
    if (answer.kind !== 'lineage') throw new Fault('SQL_UNREADABLE', 'the reading thread answered something else');
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
      if (this.#worker === undefined) return;
      this.#send(waiting);
      if (this.#waiting.length === 1) this.#watch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { fail } of this.#waiting.splice(0)) fail(new Fault('ABORTED', 'the gateway is stopping'));
    await Promise.all([this.#worker?.terminate(), this.#going]);
  }

  #start(): void {
    const worker = new Worker(this.#options.program ?? PROGRAM, { resourceLimits: { maxOldGenerationSizeMb: 1024 } });
    worker.unref();
    this.#worker = worker;
    this.#ready = false;
    this.#known = new Map();
    this.#outbox = [];
    worker.on('message', (reply: Reply) => {
      if (worker === this.#worker) this.#receive(reply);
    });
    const lost = () => {
      if (worker === this.#worker && !this.#closed) this.#replace('the statement could not be read');
    };
    worker.on('error', lost);
    worker.on('exit', lost);
    for (const waiting of this.#waiting) this.#send(waiting);
    this.#watch();
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
    this.#worker?.postMessage(this.#outbox);
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
    if (first === undefined || first.request.id !== reply.id) return this.#replace('the reading thread lost its order');
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

  /** The thread is given up; the statement it was at is refused, the others go to the next. */
  #replace(why: string): void {
    const { fail } = this.#waiting.shift() ?? {};
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    fail?.(new Fault('SQL_UNREADABLE', why));
    // Not while the old one is torn down: two at once have crashed the process (nodejs/node#56312), and hold twice the memory.
    this.#going = gone(worker).then(() => {
      if (!this.#closed) this.#start();
    });
  }
}

async function gone(worker: Worker | undefined): Promise<void> {
  const late = new AbortController();
  await Promise.race([worker?.terminate(), after(GONE_WITHIN, undefined, { signal: late.signal }).catch(() => {})]);
  late.abort();
}
