import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeUtf8 } from './text.ts';
import { Frontend } from './types.ts';

export interface SaslInitial {
  readonly mechanism: string;
  /** Undefined where the client sends no initial data. */
  readonly data: Uint8Array | undefined;
}

export function readSaslInitial(bytes: Uint8Array, start: number, end: number): SaslInitial {
  const reader = new ByteReader(bytes, start, end);
  const mechanism = reader.cstring();
  const length = reader.int32();
  const data = length === -1 ? undefined : reader.bytes(length);
  reader.done();
  return { mechanism, data };
}

export function writeSaslInitial(mechanism: string, data: string): Uint8Array {
  const bytes = encodeUtf8(data);
  return new ByteWriter(128)
    .message(Frontend.password, (body) => body.cstring(mechanism).int32(bytes.length).bytes(bytes))
    .take();
}

export function writeSaslResponse(data: string): Uint8Array {
  return new ByteWriter(128).message(Frontend.password, (body) => body.bytes(encodeUtf8(data))).take();
}

export function readPassword(bytes: Uint8Array, start: number, end: number): string {
  const reader = new ByteReader(bytes, start, end);
  const password = reader.cstring();
  reader.done();
  return password;
}

export function writePassword(password: string): Uint8Array {
  return new ByteWriter(128).message(Frontend.password, (body) => body.cstring(password)).take();
}
