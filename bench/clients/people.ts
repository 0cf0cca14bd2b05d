import { createHash } from 'node:crypto';
import { Framer } from '../../src/wire/postgres/framer.ts';
import { Backend, backendLimit } from '../../src/wire/postgres/types.ts';
import { addressOf, CARD, CARD_EVERY, MASKED_ADDRESS } from '../stock.ts';
import type { Target } from '../targets/target.ts';
import { reportOf } from './count.ts';
import type { Consumer } from './raw.ts';

const EMAIL = 2;
const NOTE = 5;

/**
 * Reads `select * from people order by id` cell by cell: labelled cells must be what this target is to show, notes
 * with a card number must have lost it where detectors are on, and all other cells go into one digest, to be compared
 * with that of a direct connection.
 */
export class PeopleChecker implements Consumer {
  rows = 0;
  readonly #target: Target;
  readonly #framer = new Framer(backendLimit);
  readonly #digest = createHash('sha256');
  #said: string | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  get digest(): string {
    return this.#digest.copy().digest('hex');
  }

  take(chunk: Uint8Array): boolean {
    const framer = this.#framer;
    framer.push(chunk.slice());
    for (let found = framer.next(); found !== 'none'; found = framer.next()) {
      const body = framer.bytes.subarray(framer.start + 5, framer.end);
      if (framer.type === Backend.errorResponse) this.#said = reportOf(body);
      if (framer.type === Backend.dataRow) this.#row(body);
      if (framer.type === Backend.readyForQuery) {
        if (this.#said !== undefined) throw new Error(this.#said);
        return true;
      }
    }
    return false;
  }

  #row(body: Uint8Array): void {
    this.rows += 1;
    const { labels, finds } = this.#target.hides;
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const holdsCard = this.rows % CARD_EVERY === 0;
    let kept = 0;
    for (let column = 0, at = 2; column < view.getInt16(0); column++) {
      const start = at + 4;
      const end = start + view.getInt32(at);
      if (column === EMAIL) {
        const shown = latin(body, start, end);
        if (shown !== (labels ? MASKED_ADDRESS : addressOf(this.rows)))
          throw new Error(`${this.#target.name} shows e-mail ${shown} in row ${this.rows}`);
        this.#digest.update(body.subarray(kept, at));
        kept = end;
      }
      if (column === NOTE && holdsCard) {
        const shown = latin(body, start, end);
        if (shown.includes(CARD) === finds || !shown.startsWith('paid with '))
          throw new Error(`${this.#target.name} shows note ${shown} in row ${this.rows}`);
        this.#digest.update(body.subarray(kept, at));
        kept = end;
      }
      at = end;
    }
    this.#digest.update(body.subarray(kept));
  }
}

function latin(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
