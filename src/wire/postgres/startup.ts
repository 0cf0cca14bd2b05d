import { Fault } from '../../core/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** The first thing on a connection: a message with a length and a code but no type byte. */
export type Startup =
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gssenc' }
  | { readonly kind: 'cancel'; readonly process: number; readonly secret: Uint8Array }
  | { readonly kind: 'startup'; readonly minor: number; readonly parameters: ReadonlyMap<string, string> };

/** MAX_STARTUP_PACKET_LENGTH of PostgreSQL's postmaster. */
export const MAX_STARTUP_LENGTH = 10_000;

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** Longest cancel secret of protocol 3.2. */
const MAX_CANCEL_SECRET = 256;

/**
 * The startup message at the front of `bytes` and how many bytes it took; undefined while incomplete. Throws Fault on
 * anything that is none, before waiting for a body no message could have.
 */
export function readStartup(bytes: Uint8Array): { readonly message: Startup; readonly consumed: number } | undefined {
  if (bytes.length < 4) return undefined;
  const length = new ByteReader(bytes, 0, 4).uint32();
  if (length < 8) throw new Fault('PROTOCOL_MALFORMED', 'startup message too short');
  if (length > MAX_STARTUP_LENGTH) throw new Fault('PROTOCOL_LIMIT', 'startup message too long');
  if (bytes.length < length) return undefined;
  const reader = new ByteReader(bytes, 4, length);
  const code = reader.uint32();
  return { message: decode(code, reader), consumed: length };
}

function decode(code: number, reader: ByteReader): Startup {
  switch (code) {
    case SSL_REQUEST:
      reader.done();
      return { kind: 'ssl' };
    case GSSENC_REQUEST:
      reader.done();
      return { kind: 'gssenc' };
    case CANCEL_REQUEST: {
      const process = reader.int32();
      const secret = reader.rest().slice();
      if (secret.length < 4 || secret.length > MAX_CANCEL_SECRET)
        throw new Fault('PROTOCOL_MALFORMED', 'cancel secret of wrong length');
      return { kind: 'cancel', process, secret };
    }
    default: {
      if (code >>> 16 !== 3)
        throw new Fault('PROTOCOL_UNSUPPORTED', `frontend protocol ${code >>> 16}.${code & 0xffff} is not supported`);
      return { kind: 'startup', minor: code & 0xffff, parameters: readParameters(reader) };
    }
  }
}

function readParameters(reader: ByteReader): Map<string, string> {
  const parameters = new Map<string, string>();
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) {
    // The server would let the last one win; two answers to one question are refused instead.
    if (parameters.has(name)) throw new Fault('PROTOCOL_MALFORMED', 'a startup parameter is given twice');
    parameters.set(name, reader.cstring());
  }
  reader.done();
  return parameters;
}

export function writeSslRequest(): Uint8Array {
  return new ByteWriter(8).int32(8).int32(SSL_REQUEST).take();
}

export function writeCancelRequest(process: number, secret: Uint8Array): Uint8Array {
  return new ByteWriter(16)
    .int32(12 + secret.length)
    .int32(CANCEL_REQUEST)
    .int32(process)
    .bytes(secret)
    .take();
}

/** Protocol 3.0: whatever a newer minor adds, no server needs it from us. */
export function writeStartup(parameters: ReadonlyMap<string, string>): Uint8Array {
  const body = new ByteWriter().int32(3 << 16);
  for (const [name, value] of parameters) body.cstring(name).cstring(value);
  body.byte(0);
  return new ByteWriter(body.length + 4)
    .int32(body.length + 4)
    .bytes(body.take())
    .take();
}
