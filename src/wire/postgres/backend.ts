import { Fault } from '../../core/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Backend } from './types.ts';

/** The small messages of the server side. */

/** I idle, T in a transaction, E in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E';

export function readReadyForQuery(bytes: Uint8Array, start: number, end: number): TransactionStatus {
  if (end - start === 1) {
    if (bytes[start] === 0x49) return 'I';
    if (bytes[start] === 0x54) return 'T';
    if (bytes[start] === 0x45) return 'E';
  }
  throw new Fault('PROTOCOL_MALFORMED', `a transaction status of ${end - start} bytes, the first ${bytes[start]}`);
}

export function writeReadyForQuery(status: TransactionStatus): Uint8Array {
  return new ByteWriter(6).message(Backend.readyForQuery, (body) => body.byte(status.charCodeAt(0))).take();
}

export function readParameterStatus(bytes: Uint8Array, start: number, end: number): { name: string; value: string } {
  const reader = new ByteReader(bytes, start, end);
  const name = reader.cstring();
  const value = reader.cstring();
  reader.done();
  return { name, value };
}

export function writeParameterStatus(name: string, value: string): Uint8Array {
  return new ByteWriter(64).message(Backend.parameterStatus, (body) => body.cstring(name).cstring(value)).take();
}

/** A cancel key: protocol 3.0 has secrets of 4 bytes, 3.2 of up to 256. */
export interface CancelKey {
  readonly process: number;
  readonly secret: Uint8Array;
}

export function readBackendKeyData(bytes: Uint8Array, start: number, end: number): CancelKey {
  const reader = new ByteReader(bytes, start, end);
  const process = reader.int32();
  return { process, secret: reader.rest().slice() };
}

export function writeBackendKeyData(key: CancelKey): Uint8Array {
  return new ByteWriter(64).message(Backend.backendKeyData, (body) => body.int32(key.process).bytes(key.secret)).take();
}

/** Says which minor version will be spoken and which `_pq_.` options are unknown here. */
export function writeNegotiateProtocolVersion(minor: number, unknown: readonly string[]): Uint8Array {
  return new ByteWriter(64)
    .message(Backend.negotiateProtocolVersion, (body) => {
      // The server sends the full version number, major included (PostgreSQL 18, SendNegotiateProtocolVersion).
      body.int32((3 << 16) | minor).int32(unknown.length);
      for (const name of unknown) body.cstring(name);
    })
    .take();
}

export function readCommandTag(bytes: Uint8Array, start: number, end: number): string {
  const reader = new ByteReader(bytes, start, end);
  const tag = reader.cstring();
  reader.done();
  return tag;
}

export interface CopyResponse {
  readonly format: 0 | 1;
  readonly columns: number;
}

export function readCopyResponse(bytes: Uint8Array, start: number, end: number): CopyResponse {
  const reader = new ByteReader(bytes, start, end);
  const format = reader.byte() === 1 ? 1 : 0;
  const columns = reader.uint16();
  return { format, columns };
}
