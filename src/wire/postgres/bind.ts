import { Fault } from '../../core/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Frontend } from './types.ts';

export interface Bind {
  /** Empty for the unnamed portal, and the unnamed statement. */
  readonly portal: string;
  readonly statement: string;
  /** 0 text, 1 binary. None: all text. One: for all. Else one per parameter. */
  readonly parameterFormats: readonly number[];
  /** Views of the message; null is NULL. */
  readonly parameters: readonly (Uint8Array | null)[];
  /** Formats of the result columns, by the same rule. */
  readonly resultFormats: readonly number[];
}

export function readBind(bytes: Uint8Array, start: number, end: number): Bind {
  const reader = new ByteReader(bytes, start, end);
  const portal = reader.cstring();
  const statement = reader.cstring();
  const parameterFormats = readFormats(reader);
  const parameters = Array.from({ length: reader.uint16() }, () => {
    const length = reader.int32();
    return length === -1 ? null : reader.bytes(length);
  });
  const resultFormats = readFormats(reader);
  reader.done();
  if (parameterFormats.length > 1 && parameterFormats.length !== parameters.length) {
    throw new Fault('PROTOCOL_MALFORMED', `${parameterFormats.length} formats for ${parameters.length} parameters`);
  }
  return { portal, statement, parameterFormats, parameters, resultFormats };
}

function readFormats(reader: ByteReader): number[] {
  return Array.from({ length: reader.uint16() }, () => {
    const format = reader.uint16();
    if (format > 1) throw new Fault('PROTOCOL_MALFORMED', `format code ${format}`);
    return format;
  });
}

/** The format that a list of format codes gives the column or parameter at `index`. */
export function formatAt(formats: readonly number[], index: number): 0 | 1 {
  const format = formats.length === 1 ? formats[0] : formats[index];
  return format === 1 ? 1 : 0;
}

/** A Bind without parameters, results in text. */
export function writePlainBind(portal: string, statement: string): Uint8Array {
  return new ByteWriter(64)
    .message(Frontend.bind, (body) => body.cstring(portal).cstring(statement).int16(0).int16(0).int16(0))
    .take();
}
