import type { Denial } from '../../core/decision.ts';
import { Fault } from '../../core/fault.ts';
import type { Framer } from '../../wire/postgres/framer.ts';
import { Backend } from '../../wire/postgres/types.ts';
import type { Conversation } from './conversation.ts';
import { runOf } from './pending.ts';
import { detectorHit, planForPortal } from './plan.ts';
import type { Run } from './run.ts';

/** Type byte and length of a message. */
const HEADER = 5;

/**
 * The values on their way to the client: each row is masked or scanned by the plan of its result, counted against the
 * cap, and kept for the recording as it is told. A row that may not pass cuts the result; nothing after it is told.
 */
export class Rows {
  readonly #talk: Conversation;
  readonly #framer: Framer;
  /** Whether the pieces of the large message at hand go to the client. */
  #relaying = false;
  /** A large message is on its way to the client in pieces. */
  #half = false;
  readonly #unsaid: Uint8Array[] = [];

  constructor(talk: Conversation, framer: Framer) {
    this.#talk = talk;
    this.#framer = framer;
  }

  /** A DataRow. */
  row(): void {
    const { head } = this.#talk.pending;
    const { bytes, start, end } = this.#framer;
    if (head?.kind === 'probe') {
      head.rows.push(bytes.slice(start + HEADER, end));
      return;
    }
    const run = runOf(head);
    if (run === undefined || head?.kind === 'bind') throw unexpected(this.#framer.type);
    if (run.cut !== undefined) return;
    if (run.plan === undefined) {
      if (head?.kind !== 'execute') throw unexpected(this.#framer.type);
      run.plan = planForPortal(this.#talk.session, head.portal);
    }
    const full = run.admit();
    if (full !== undefined) return this.#cut(run, full);
    const { plan } = run;
    if (plan.untouched) return this.tell(run, start, end, true);
    const { leaving } = this.#talk;
    const at = leaving.length;
    const grown = plan.maskRow(bytes, start, start + HEADER, end, leaving);
    if (plan.refused) {
      leaving.cut(at);
      return this.#cut(run, detectorHit());
    }
    if (grown !== 0) leaving.putInt32(at + 1, end - start - 1 + grown);
    run.keep(at, at + end - start + grown, true);
  }

  /** A CopyData of COPY … TO STDOUT. */
  copyData(): void {
    const { bytes, start, end } = this.#framer;
    const run = runOf(this.#talk.pending.head);
    if (run?.plan === undefined) throw unexpected(this.#framer.type);
    if (run.cut !== undefined) return;
    const full = run.admit();
    if (full !== undefined) return this.#cut(run, full);
    if (!run.plan.untouched) run.plan.scanText(bytes, start + HEADER, end);
    if (run.plan.refused) return this.#cut(run, detectorHit());
    this.tell(run, start, end, true);
  }

  /** The header of a row too long to be kept whole: it may pass only where nothing in it has to be read. */
  large(): void {
    const { head } = this.#talk.pending;
    const { start, end, type } = this.#framer;
    const run = runOf(head);
    if (run !== undefined && run.plan === undefined && head?.kind === 'execute') {
      run.plan = planForPortal(this.#talk.session, head.portal);
    }
    if (run?.plan === undefined || (type !== Backend.dataRow && type !== Backend.copyData)) throw unexpected(type);
    const full = run.cut ?? run.admit();
    if (run.cut === undefined && full !== undefined) this.#cut(run, full);
    this.#relaying = run.cut === undefined;
    if (!this.#relaying) return;
    if (!run.plan.untouched) throw new Fault('PROTOCOL_LIMIT', 'a row is too large to be masked');
    run.rows += 1;
    this.#half = true;
    this.#talk.leaving.pass(start, end);
  }

  piece(): void {
    const { start, end, last } = this.#framer;
    if (this.#relaying) this.#talk.leaving.pass(start, end);
    if (!last) return;
    this.#half = false;
    for (const message of this.#unsaid.splice(0)) this.#talk.leaving.put(message, end);
  }

  /** A message of the gateway's own, as soon as none is half written. */
  between(message: Uint8Array): void {
    if (this.#half) this.#unsaid.push(message);
    else this.#talk.toClient.piece(message);
  }

  /** Passes [start, end) of the bytes at hand on and keeps it for the recording. */
  tell(run: Run, start: number, end: number, row: boolean): void {
    const { leaving } = this.#talk;
    const at = leaving.length;
    leaving.pass(start, end);
    run.keep(at, at + end - start, row);
  }

  #cut(run: Run, denial: Denial): void {
    run.cut = denial;
    this.#talk.cancel();
  }
}

export function unexpected(type: number): Fault {
  return new Fault('TARGET_PROTOCOL', `the target sent message 0x${type.toString(16)} where none was awaited`);
}
