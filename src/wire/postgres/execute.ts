import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Frontend } from './types.ts';

export interface Execute {
  readonly portal: string;
  /** 0: no limit. */
  readonly rows: number;
}

export function readExecute(bytes: Uint8Array, start: number, end: number): Execute {
  const reader = new ByteReader(bytes, start, end);
  const portal = reader.cstring();
  const rows = reader.int32();
  reader.done();
  // The server takes a negative limit for none; so do we.
  return { portal, rows: Math.max(0, rows) };
}

export function writeExecute(execute: Execute): Uint8Array {
  return new ByteWriter(64)
    .message(Frontend.execute, (body) => body.cstring(execute.portal).int32(execute.rows))
    .take();
}
