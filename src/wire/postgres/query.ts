import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Frontend } from './types.ts';

/** The text of a Query whose body is bytes[start, end). */
export function readQuery(bytes: Uint8Array, start: number, end: number): string {
  const reader = new ByteReader(bytes, start, end);
  const text = reader.cstring();
  reader.done();
  return text;
}

export function writeQuery(text: string): Uint8Array {
  return new ByteWriter(text.length + 8).message(Frontend.query, (body) => body.cstring(text)).take();
}
