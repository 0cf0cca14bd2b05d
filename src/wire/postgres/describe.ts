import { Fault } from '../../core/fault.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Frontend } from './types.ts';

/** What Describe and Close name: a prepared statement or a portal. */
export interface Named {
  readonly kind: 'statement' | 'portal';
  readonly name: string;
}

const STATEMENT = 0x53; // S
const PORTAL = 0x50; // P

export function readNamed(bytes: Uint8Array, start: number, end: number): Named {
  const reader = new ByteReader(bytes, start, end);
  const kind = reader.byte();
  const name = reader.cstring();
  reader.done();
  if (kind !== STATEMENT && kind !== PORTAL) throw new Fault('PROTOCOL_MALFORMED', `describes a ${kind}`);
  return { kind: kind === STATEMENT ? 'statement' : 'portal', name };
}

export function writeDescribe(named: Named): Uint8Array {
  return writeNamed(Frontend.describe, named);
}

export function writeClose(named: Named): Uint8Array {
  return writeNamed(Frontend.close, named);
}

function writeNamed(type: number, named: Named): Uint8Array {
  return new ByteWriter(64)
    .message(type, (body) => body.byte(named.kind === 'statement' ? STATEMENT : PORTAL).cstring(named.name))
    .take();
}
