import type { ResultPlan } from '../plan.ts';
import { Rewrite } from '../rewrite.ts';

/** DataRow bodies as text or bytes, for tests. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export type Cell = string | Uint8Array | null;

export function row(...cells: readonly Cell[]): Uint8Array {
  const values = cells.map((cell) => (typeof cell === 'string' ? encoder.encode(cell) : cell));
  const size = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0), 2);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, values.length);
  let at = 2;
  for (const value of values) {
    view.setInt32(at, value?.length ?? -1);
    if (value) bytes.set(value, at + 4);
    at += 4 + (value?.length ?? 0);
  }
  return bytes;
}

/** The cells of a row; any length that does not fit fails the test. */
export function cells(body: Uint8Array): (Uint8Array | null)[] {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  let at = 2;
  const found = Array.from({ length: view.getInt16(0) }, () => {
    const length = view.getInt32(at);
    at += 4;
    if (length === -1) return null;
    if (length < 0 || at + length > body.length) throw new Error(`a cell of ${length} bytes`);
    at += length;
    return body.slice(at - length, at);
  });
  if (at !== body.length) throw new Error(`${body.length - at} bytes behind the row`);
  return found;
}

/** The row as a plan leaves it. */
export function maskedRow(plan: ResultPlan, bytes: Uint8Array, start: number, end: number): Uint8Array {
  const rewrite = new Rewrite();
  rewrite.begin(bytes);
  plan.maskRow(bytes, start, start, end, rewrite);
  return rewrite.view(0, rewrite.length).slice();
}

export function texts(body: Uint8Array): (string | null)[] {
  return cells(body).map((cell) => (cell ? decoder.decode(cell) : null));
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
