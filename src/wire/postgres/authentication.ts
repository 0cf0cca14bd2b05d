import { Fault } from '../../core/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { decodeUtf8, encodeUtf8 } from './text.ts';
import { Backend } from './types.ts';

/** The forms of AuthenticationXXX that either side of the gateway speaks. */
export type Authentication =
  | { readonly kind: 'ok' }
  | { readonly kind: 'cleartext' }
  | { readonly kind: 'md5'; readonly salt: Uint8Array }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'sasl-continue'; readonly data: string }
  | { readonly kind: 'sasl-final'; readonly data: string };

const CODE = { ok: 0, cleartext: 3, md5: 5, sasl: 10, 'sasl-continue': 11, 'sasl-final': 12 } as const;

export function readAuthentication(bytes: Uint8Array, start: number, end: number): Authentication {
  const reader = new ByteReader(bytes, start, end);
  const code = reader.int32();
  switch (code) {
    case CODE.ok:
      return { kind: 'ok' };
    case CODE.cleartext:
      return { kind: 'cleartext' };
    case CODE.md5:
      return { kind: 'md5', salt: reader.bytes(4).slice() };
    case CODE.sasl: {
      const mechanisms: string[] = [];
      for (let name = reader.cstring(); name !== ''; name = reader.cstring()) mechanisms.push(name);
      return { kind: 'sasl', mechanisms };
    }
    case CODE['sasl-continue']:
      return { kind: 'sasl-continue', data: decodeUtf8(reader.rest()) };
    case CODE['sasl-final']:
      return { kind: 'sasl-final', data: decodeUtf8(reader.rest()) };
    default:
      throw new Fault('PROTOCOL_UNSUPPORTED', `the server asks for authentication method ${code}`);
  }
}

export function writeAuthentication(authentication: Authentication): Uint8Array {
  return new ByteWriter(128)
    .message(Backend.authentication, (body) => {
      body.int32(CODE[authentication.kind]);
      if (authentication.kind === 'md5') body.bytes(authentication.salt);
      if (authentication.kind === 'sasl') {
        for (const mechanism of authentication.mechanisms) body.cstring(mechanism);
        body.byte(0);
      }
      if (authentication.kind === 'sasl-continue' || authentication.kind === 'sasl-final') {
        body.bytes(encodeUtf8(authentication.data));
      }
    })
    .take();
}
