import { asFault } from '../../core/fault.ts';
import { ByteReader } from '../../wire/postgres/byte-reader.ts';
import { type Field, readRowDescription } from '../../wire/postgres/row-description.ts';
import { showValue } from './value.ts';

/** What a client was shown for one operation. */
export interface ShownResult {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines of a COPY. */
  readonly copied: readonly string[];
  /** Set when the recording could not be read to its end. */
  readonly problem: string | undefined;
}

const ROW_DESCRIPTION = 0x54; // T
const DATA_ROW = 0x44; // D
const COPY_DATA = 0x64; // d
const HEADER = 5;

/**
 * Collects the recorded frames of one operation. Entries are cut where the recorder wrote, not where messages end, so
 * bytes are kept until a message is whole. A recording is evidence about a hostile world: what does not decode is
 * told, and never stops the replay.
 */
export class ResultReader {
  #kept: Uint8Array = new Uint8Array(0);
  #fields: readonly Field[] = [];
  #results: { head: string[]; rows: string[][]; copied: string[] }[] = [];
  #problem: string | undefined;

  push(bytes: Uint8Array): void {
    if (this.#problem !== undefined) return;
    const joined = new Uint8Array(this.#kept.length + bytes.length);
    joined.set(this.#kept);
    joined.set(bytes, this.#kept.length);
    try {
      this.#kept = joined.subarray(this.#read(joined));
    } catch (thrown) {
      this.#problem = asFault(thrown).message;
    }
  }

  /** One for each result set. */
  results(): readonly ShownResult[] {
    const cut = this.#kept.length > 0 ? 'the recording ends inside a message' : undefined;
    const problem = this.#problem ?? cut;
    if (this.#results.length === 0) return problem === undefined ? [] : [{ head: [], rows: [], copied: [], problem }];
    return this.#results.map((result, index) => ({
      ...result,
      problem: index === this.#results.length - 1 ? problem : undefined,
    }));
  }

  /** Gives the offset of the first byte that is not used up. */
  #read(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (bytes.length - at >= HEADER) {
      const length = view.getUint32(at + 1);
      if (length < 4) throw new Error('a message is shorter than itself');
      const end = at + 1 + length;
      if (end > bytes.length) break;
      this.#message(view.getUint8(at), bytes, at + HEADER, end);
      at = end;
    }
    return at;
  }

  #message(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === ROW_DESCRIPTION) {
      this.#fields = readRowDescription(bytes, start, end);
      this.#results.push({ head: this.#fields.map((field) => field.name), rows: [], copied: [] });
    } else if (type === DATA_ROW) {
      this.#current().rows.push(this.#row(bytes, start, end));
    } else if (type === COPY_DATA) {
      this.#current().copied.push(showValue(bytes.subarray(start, end), undefined));
    }
  }

  #current(): { head: string[]; rows: string[][]; copied: string[] } {
    const last = this.#results.at(-1);
    if (last) return last;
    // A statement that was described earlier: its rows come without a heading.
    const result = { head: [], rows: [], copied: [] };
    this.#results.push(result);
    return result;
  }

  #row(bytes: Uint8Array, start: number, end: number): string[] {
    const reader = new ByteReader(bytes, start, end);
    const count = reader.uint16();
    const cells = Array.from({ length: count }, (_, index) => {
      const length = reader.int32();
      return length < 0 ? 'NULL' : showValue(reader.bytes(length), this.#fields[index]);
    });
    reader.done();
    return cells;
  }
}
