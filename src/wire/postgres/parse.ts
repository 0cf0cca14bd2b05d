import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Frontend } from './types.ts';

export interface Parse {
  /** Empty for the unnamed statement. */
  readonly statement: string;
  readonly text: string;
  /** Parameter types the client fixes; 0 leaves one to the server. */
  readonly types: readonly number[];
}

export function readParse(bytes: Uint8Array, start: number, end: number): Parse {
  const reader = new ByteReader(bytes, start, end);
  const statement = reader.cstring();
  const text = reader.cstring();
  const types = Array.from({ length: reader.uint16() }, () => reader.uint32());
  reader.done();
  return { statement, text, types };
}

export function writeParse(parse: Parse): Uint8Array {
  return new ByteWriter(parse.text.length + 64)
    .message(Frontend.parse, (body) => {
      body.cstring(parse.statement).cstring(parse.text).int16(parse.types.length);
      for (const type of parse.types) body.uint32(type);
    })
    .take();
}
