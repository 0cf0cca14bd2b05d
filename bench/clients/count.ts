import { readReport } from '../../src/wire/postgres/error-response.ts';
import { Backend } from '../../src/wire/postgres/types.ts';
import type { Consumer } from './raw.ts';

const HEADER = 5;

/** Counts rows (or COPY data) and bytes by hopping over message headers; keeps nothing but an error. */
export class Counter implements Consumer {
  rows = 0;
  bytes = 0;
  readonly #header = new Uint8Array(HEADER);
  #have = 0;
  #left = 0;
  #type = 0;
  #error: number[] = [];
  #said: string | undefined;

  take(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      if (this.#have < HEADER) {
        this.#header[this.#have++] = chunk[at++] ?? 0;
        if (this.#have === HEADER) this.#begin();
      } else {
        const end = Math.min(chunk.length, at + this.#left);
        if (this.#type === Backend.errorResponse) this.#error.push(...chunk.subarray(at, end));
        this.#left -= end - at;
        at = end;
      }
      if (this.#have === HEADER && this.#left === 0) {
        this.#have = 0;
        if (this.#type === Backend.errorResponse) this.#said = reportOf(Uint8Array.from(this.#error));
        if (this.#type === Backend.readyForQuery) return this.#end();
      }
    }
    return false;
  }

  #begin(): void {
    const [type = 0, a = 0, b = 0, c = 0, d = 0] = this.#header;
    this.#type = type;
    this.#left = ((a << 24) | (b << 16) | (c << 8) | d) - 4;
    if (type === Backend.dataRow || type === Backend.copyData) this.rows += 1;
  }

  #end(): boolean {
    if (this.#said !== undefined) throw new Error(this.#said);
    return true;
  }
}

export function reportOf(body: Uint8Array): string {
  const report = readReport(body, 0, body.length);
  return `${report.get('C') ?? ''} ${report.get('M') ?? ''}`;
}
