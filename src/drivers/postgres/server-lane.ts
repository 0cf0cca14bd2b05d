import type { StatementFacts } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import {
  type CopyResponse,
  readCommandTag,
  readCopyResponse,
  readParameterStatus,
  readReadyForQuery,
} from '../../wire/postgres/backend.ts';
import { readReport, withoutDetails, withoutValues, writeReport } from '../../wire/postgres/error-response.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { Backend, backendLimit } from '../../wire/postgres/types.ts';
import type { Conversation } from './conversation.ts';
import { BROKEN_PARSE, BROKEN_QUERY, errorOf } from './denial.ts';
import { Descriptions } from './descriptions.ts';
import { Landing } from './landing.ts';
import { SYNC } from './messages.ts';
import { type Entry, runOf } from './pending.ts';
import { planFor } from './plan.ts';
import { PROBE_CLOSES } from './probe.ts';
import { Rows, unexpected } from './rows.ts';
import type { Run } from './run.ts';
import { PINNED } from './settings.ts';

/**
 * From the target to the client: matches each answer to what was asked, masks rows, takes down what is told, and puts
 * the gateway's own error where a refused message made the server fail. Synchronous: a read in, a write out.
 */
export class ServerLane {
  readonly #talk: Conversation;
  readonly #framer = new Framer(backendLimit);
  readonly #rows: Rows;
  readonly #landing: Landing = new Landing();
  readonly #descriptions = new Descriptions();
  /** What leaves of this read was copied out of the memory it lay in. */
  #apart = false;
  /** Runs whose portal stopped at its row limit and may go on. */
  readonly #suspended = new Set<Run>();
  #copyFailed = false;

  constructor(talk: Conversation) {
    this.#talk = talk;
    this.#rows = new Rows(talk, this.#framer);
  }

  /** Where the next read goes. */
  room(): Uint8Array {
    return this.#landing.room();
  }

  /**
   * `count` bytes were read into the room. What leaves of them is gathered for the client, and must be written before
   * `written` is called. `waiting`: something written earlier still waits for the client. Throws Fault when the stream
   * cannot be trusted any more; nothing of this read is gathered then.
   */
  receive(count: number, waiting: boolean): void {
    const framer = this.#framer;
    const landing = this.#landing;
    const { leaving } = this.#talk;
    if (!waiting) landing.returned();
    landing.landed(count);
    framer.window(landing.bytes, landing.start, landing.end);
    leaving.begin(landing.bytes);
    for (let found = framer.next(); found !== 'none'; found = framer.next()) {
      if (found === 'frame') this.#frame();
      else if (found === 'large') this.#rows.large();
      else this.#rows.piece();
    }
    runOf(this.#talk.pending.head)?.flush();
    const told = leaving.end();
    if (told === undefined) return;
    // Little behind much that waits would keep all of the memory it lies in.
    this.#apart = waiting && told.length < landing.bytes.length / 4;
    this.#talk.toClient.piece(this.#apart ? told.slice() : told);
  }

  /** What was gathered is written. `waiting`: some of it still waits for the client. */
  written(waiting: boolean): void {
    const landing = this.#landing;
    landing.used(landing.end - this.#framer.pending, waiting && !this.#apart);
  }

  /** Tells the client something of the gateway's own, as soon as no message is half written. */
  say(message: Uint8Array): void {
    this.#rows.between(message);
  }

  /** The connection is over: whatever was under way is reported as cut off, with the SQLSTATE that says why. */
  end(state: string): void {
    this.#talk.pending.abandon(state);
    for (const run of this.#suspended) run.end();
    this.#suspended.clear();
  }

  #frame(): void {
    const talk = this.#talk;
    const { type, bytes, end } = this.#framer;
    const body = this.#framer.start + 5;
    const head = talk.pending.head;
    switch (type) {
      case Backend.dataRow:
        return this.#rows.row();
      case Backend.copyData:
        return this.#rows.copyData();
      case Backend.commandComplete:
        return this.#complete(head, readCommandTag(bytes, body, end));
      case Backend.emptyQueryResponse:
        return this.#complete(head, '');
      case Backend.readyForQuery:
        return this.#ready(head);
      case Backend.errorResponse:
        return this.#error(head, readReport(bytes, body, end));
      case Backend.rowDescription:
        return this.#describe(head, true);
      case Backend.noData:
        return this.#describe(head, false);
      case Backend.parameterDescription:
        if (head?.kind !== 'describe') return this.#unexpected();
        return this.#forward();
      case Backend.parseComplete:
        return this.#answer(head, 'parse');
      case Backend.bindComplete:
        return this.#answer(head, 'bind');
      case Backend.closeComplete:
        return this.#answer(head, 'close');
      case Backend.portalSuspended:
        if (head?.kind !== 'execute') return this.#unexpected();
        // What was cut short ends here, whatever more the portal would give.
        if (head.portal.run.cut !== undefined) return this.#complete(head, '');
        this.#suspended.add(head.portal.run);
        head.portal.run.flush();
        talk.pending.shift();
        return this.#forward();
      case Backend.copyInResponse:
        return this.#copyIn(head);
      case Backend.copyOutResponse:
        return this.#copyOut(head, readCopyResponse(bytes, body, end));
      case Backend.copyDone:
        if (runOf(head)?.cut) return;
        return this.#forward();
      case Backend.parameterStatus:
        return this.#parameter(readParameterStatus(bytes, body, end));
      case Backend.notificationResponse:
        this.#renumber(body);
        return this.#forward();
      case Backend.noticeResponse:
        return this.#report(head, readReport(bytes, body, end));
      default:
        return this.#unexpected();
    }
  }

  #complete(head: Entry | undefined, tag: string): void {
    const talk = this.#talk;
    if (head?.kind === 'probe') return;
    const run = runOf(head);
    if (run === undefined || head?.kind === 'bind') return this.#unexpected();
    if (run.statement?.ddl) talk.ddlOpen = true;
    const { cut } = run;
    run.completed(tag);
    if (head?.kind === 'query') {
      if (cut === undefined) this.#forward();
      else if (run.error === undefined) {
        // The server was done before the cancel reached it; `#ready` sees to its transaction.
        run.error = '42501';
        talk.leaving.put(errorOf(cut), this.#framer.end);
      }
      return;
    }
    this.#suspended.delete(run);
    run.end(cut === undefined ? undefined : '42501');
    if (cut === undefined) {
      this.#forward();
      talk.pending.shift();
      return;
    }
    // Make the server fail after all, so that its transaction ends as the client believes it did.
    talk.pending.shift();
    talk.pending.push({ kind: 'refused', error: errorOf(cut), simple: false });
    talk.toServer.piece(BROKEN_PARSE);
  }

  #ready(head: Entry | undefined): void {
    const talk = this.#talk;
    const { bytes, start, end } = this.#framer;
    const status = readReadyForQuery(bytes, start + 5, end);
    talk.status = status;
    talk.copyIn = undefined;
    if (status === 'I') {
      talk.names.transactionEnded();
      if (talk.ddlOpen) talk.session.reader.changed(talk.session.target.name, talk.session.database);
      talk.ddlOpen = false;
      for (const run of this.#suspended) run.end();
      this.#suspended.clear();
    }
    if (head === undefined && this.#copyFailed) {
      this.#copyFailed = false;
      return this.#forward();
    }
    this.#copyFailed = false;
    switch (head?.kind) {
      case 'query': {
        const { cut } = head.run;
        head.run.end();
        talk.pending.shift();
        if (cut === undefined || status !== 'T') return this.#forward();
        talk.pending.push({ kind: 'refused', error: undefined, simple: true });
        talk.toServer.piece(BROKEN_QUERY);
        return;
      }
      case 'refused':
        if (!head.simple) return this.#unexpected();
        talk.pending.shift();
        return this.#forward();
      case 'sync':
        talk.pending.shift();
        if (head.silent) return;
        return this.#forward();
      case 'probe':
        if (!head.synced) return this.#unexpected();
        talk.pending.shift();
        return;
      default:
        return this.#unexpected();
    }
  }

  #error(head: Entry | undefined, report: ReadonlyMap<string, string>): void {
    const talk = this.#talk;
    const fatal = report.get('V') === 'FATAL' || report.get('V') === 'PANIC';
    if (fatal) talk.fatalTold = true;
    const run = runOf(head);
    const code = run?.cut === undefined || fatal ? report.get('C') : '42501';
    if (head?.kind === 'probe') throw new Fault('TARGET_PROTOCOL', 'the target refused to say what names mean');
    if (head?.kind === 'refused' && !fatal) {
      if (head.error !== undefined) talk.leaving.put(head.error, this.#framer.end);
    } else if (run?.cut !== undefined && !fatal) {
      if (run.error === undefined) talk.leaving.put(errorOf(run.cut), this.#framer.end);
    } else {
      this.#report(head, report);
    }
    const heldSyncs = talk.copyIn?.heldSyncs ?? 0;
    this.#copyFailed = talk.copyIn !== undefined;
    talk.copyIn = undefined;

    if (head === undefined || head.kind === 'sync') return;
    if (head.kind === 'query' || (head.kind === 'refused' && head.simple)) {
      if (run !== undefined) run.error = code;
      head.undo?.();
      delete head.undo;
      return;
    }
    run?.end(code);
    for (const entry of talk.pending.skipToSync()) runOf(entry)?.end('skipped');
    talk.skipping = talk.pending.length === 0;
    if (heldSyncs > 0) {
      talk.pending.push({ kind: 'sync' });
      talk.toServer.piece(SYNC);
      talk.skipping = false;
    }
  }

  /** Passes an error or notice on, without what may quote rows where the caller may not see all of them. */
  #report(head: Entry | undefined, report: ReadonlyMap<string, string>): void {
    const terse = runOf(head)?.terse;
    if (terse === undefined) return this.#forward();
    const told = terse === 'messages' ? withoutValues(report) : withoutDetails(report);
    this.#talk.leaving.put(writeReport(this.#framer.type, told), this.#framer.end);
  }

  #describe(head: Entry | undefined, rows: boolean): void {
    const talk = this.#talk;
    const { bytes, start, end } = this.#framer;
    const statement = head?.kind === 'query' ? head.run.statement : describedBy(head);
    const fields = rows ? this.#descriptions.read(statement, bytes, start + 5, end) : 'none';
    if (head?.kind === 'query') {
      if (fields === 'none') return this.#unexpected();
      head.run.plan = planFor(talk.session, head.run, fields);
      if (head.run.cut === undefined) this.#rows.tell(head.run, start, end, false);
      return;
    }
    if (head?.kind !== 'describe') return this.#unexpected();
    if (head.of.kind !== 'cursor') head.of.fields = fields;
    if (head.of.kind === 'portal') {
      head.of.statement.fields = fields;
      if (rows) head.of.run.keepApart(bytes.slice(start, end));
    }
    talk.pending.shift();
    if (!head.silent) this.#forward();
  }

  #copyIn(head: Entry | undefined): void {
    const run = runOf(head);
    if (run === undefined || !run.copiesIn) return this.#unexpected();
    if (head?.kind === 'execute') this.#talk.pending.dropSyncs();
    this.#talk.copyIn = { heldSyncs: 0 };
    this.#forward();
  }

  #copyOut(head: Entry | undefined, response: CopyResponse): void {
    const run = runOf(head);
    if (run?.statement?.copy?.direction !== 'out') return this.#unexpected();
    // COPY has no names: each line counts as one text cell without a column.
    const field = { name: 'copy', table: 0, attribute: 0, type: 25, modifier: -1, format: response.format } as const;
    run.plan = planFor(this.#talk.session, run, [field]);
    const { start, end } = this.#framer;
    this.#rows.tell(run, start, end, false);
  }

  #parameter(status: { name: string; value: string }): void {
    const pinned = PINNED.get(status.name);
    if (pinned !== undefined && status.value !== pinned) {
      throw new Fault('TARGET_PROTOCOL', `the target changed ${status.name}, which the gateway relies on`);
    }
    // The name upstream is the gateway's own; the client keeps believing in the one it gave.
    if (status.name !== 'application_name') this.#forward();
  }

  /** Clients tell their own notifications by the process id they were given at login. */
  #renumber(at: number): void {
    const { bytes } = this.#framer;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getInt32(at) === this.#talk.upstream?.key?.process) view.setInt32(at, this.#talk.process);
  }

  #answer(head: Entry | undefined, kind: 'parse' | 'bind' | 'close'): void {
    const { pending } = this.#talk;
    if (head?.kind === 'probe') {
      if (kind === 'close') head.closes += 1;
      if (head.closes === PROBE_CLOSES && !head.synced) pending.shift();
      return;
    }
    if (head?.kind !== kind) return this.#unexpected();
    pending.shift();
    this.#forward();
  }

  #forward(): void {
    this.#talk.leaving.pass(this.#framer.start, this.#framer.end);
  }

  #unexpected(): never {
    throw unexpected(this.#framer.type);
  }
}

/** The statement whose fields are told of, where that is one. */
function describedBy(head: Entry | undefined): StatementFacts | undefined {
  if (head?.kind !== 'describe' || head.of.kind === 'cursor') return undefined;
  return head.of.kind === 'portal' ? head.of.run.statement : head.of.facts?.statements[0];
}
