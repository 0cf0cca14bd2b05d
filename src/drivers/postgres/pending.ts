import type { Undo } from './names.ts';
import type { Run } from './run.ts';
import type { Cursor, Portal, Prepared } from './statements.ts';

/** What was sent upstream and is not answered yet. */
export type Entry = { undo?: Undo; settled?: (how: 'answered' | 'skipped') => void } & (
  | { readonly kind: 'query'; readonly run: Run }
  | { readonly kind: 'parse'; readonly statement: Prepared }
  | { readonly kind: 'bind'; readonly portal: Portal }
  /** `silent`: asked by the gateway; the client must not see the answer. */
  | { readonly kind: 'describe'; readonly of: Prepared | Portal | Cursor; readonly silent: boolean }
  | { readonly kind: 'execute'; readonly portal: Portal }
  | { readonly kind: 'close' }
  /** `silent`: the gateway's own; the client did not ask. */
  | { readonly kind: 'sync'; readonly silent?: true }
  /**
   * A message of the gateway's own that is bound to fail stands in for a refused one. `simple`: it was a Query.
   * `error`: what the client is told instead; undefined when it was told already.
   */
  | { readonly kind: 'refused'; readonly error: Uint8Array | undefined; readonly simple: boolean }
  | { readonly kind: 'probe'; readonly synced: boolean; readonly rows: Uint8Array[]; closes: number }
);

/** The operation an entry belongs to, if it is part of one. */
export function runOf(entry: Entry | undefined): Run | undefined {
  switch (entry?.kind) {
    case 'query':
      return entry.run;
    case 'bind':
    case 'execute':
      return entry.portal.run;
    default:
      return undefined;
  }
}

/** Answers come in the order of the questions: this is the queue of those still open. */
export class Pending {
  #entries: Entry[] = [];
  #first = 0;
  /** The SQLSTATE that says why nothing more will be answered. */
  #over: string | undefined;

  get length(): number {
    return this.#entries.length - this.#first;
  }

  get head(): Entry | undefined {
    return this.#entries[this.#first];
  }

  push(entry: Entry): void {
    if (this.#over === undefined) this.#entries.push(entry);
    else giveUp(entry, this.#over);
  }

  /** Whether the last thing sent waits for a Sync or Flush before it is answered. */
  get unsynced(): boolean {
    switch (this.#entries.at(-1)?.kind) {
      case 'parse':
      case 'bind':
      case 'describe':
      case 'execute':
      case 'close':
        return true;
      default:
        return false;
    }
  }

  /** Resolves once everything that is open now is answered or skipped. */
  async drained(): Promise<void> {
    const last = this.#entries.at(-1);
    if (last === undefined) return;
    await new Promise<void>((resolve) => {
      const before = last.settled;
      last.settled = (how) => {
        before?.(how);
        resolve();
      };
    });
  }

  /** The head is answered. */
  shift(): void {
    const entry = this.#entries[this.#first];
    this.#first += 1;
    if (this.#first === this.#entries.length) {
      this.#entries = [];
      this.#first = 0;
    } else if (this.#first > 256) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    entry?.undo?.keep?.();
    entry?.settled?.('answered');
  }

  /** The server failed at the head of a pipeline and skips to the next Sync: so does the queue. */
  skipToSync(): readonly Entry[] {
    const open = this.#entries.slice(this.#first);
    const at = open.findIndex((entry) => entry.kind === 'sync' || (entry.kind === 'probe' && entry.synced));
    const skipped = at < 0 ? open : open.slice(0, at);
    this.#entries = at < 0 ? [] : open.slice(at);
    this.#first = 0;
    for (const entry of skipped.toReversed()) entry.undo?.();
    for (const entry of skipped) entry.settled?.('skipped');
    return skipped;
  }

  /** In copy-in mode the server reads past Sync: those already sent will never be answered. */
  dropSyncs(): void {
    const open = this.#entries.slice(this.#first);
    this.#entries = open.filter((entry) => entry.kind !== 'sync');
    this.#first = 0;
    for (const entry of open) if (entry.kind === 'sync') entry.settled?.('skipped');
  }

  /** Whether something that copies in is under way or about to be. */
  get copyingIn(): boolean {
    for (let i = this.#first; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry?.kind === 'query' && entry.run.copiesIn) return true;
      if (entry?.kind === 'execute' && entry.portal.run.copiesIn) return true;
    }
    return false;
  }

  /** The connection is gone: what is open, or was cleared and comes now, is reported as cut off, with the reason. */
  abandon(state: string): void {
    const open = this.#entries.slice(this.#first);
    this.#entries = [];
    this.#first = 0;
    this.#over = state;
    for (const entry of open) giveUp(entry, state);
  }
}

function giveUp(entry: Entry, state: string): void {
  runOf(entry)?.end(state);
  entry.settled?.('skipped');
}
