import { decodeHeader, decodeRecord } from '../../src/audit/format.ts';
import { parseConfig } from '../../src/config/load.ts';
import { readForm } from '../../src/control/form.ts';
import type { Obligation } from '../../src/core/obligation.ts';
import { secretless } from '../../src/data/secretless.ts';
import { readExchange } from '../../src/identity/exchange-request.ts';
import { claimedIssuer, looksLikeJwt } from '../../src/identity/jwt.ts';
import { parsePass } from '../../src/identity/pass.ts';
import { ScramServer } from '../../src/identity/scram.ts';
import { planResult } from '../../src/masking/plan.ts';
import { Rewrite } from '../../src/masking/rewrite.ts';
import { decodeEntries } from '../../src/recording/entries.ts';
import { Lexer } from '../../src/sql/postgres/lexer.ts';
import { templateOf } from '../../src/sql/postgres/template.ts';
import { readAuthentication } from '../../src/wire/postgres/authentication.ts';
import {
  readBackendKeyData,
  readCommandTag,
  readCopyResponse,
  readParameterStatus,
  readReadyForQuery,
} from '../../src/wire/postgres/backend.ts';
import { readBind } from '../../src/wire/postgres/bind.ts';
import { readNamed } from '../../src/wire/postgres/describe.ts';
import { readReport } from '../../src/wire/postgres/error-response.ts';
import { readExecute } from '../../src/wire/postgres/execute.ts';
import { Framer } from '../../src/wire/postgres/framer.ts';
import { readParse } from '../../src/wire/postgres/parse.ts';
import { readQuery } from '../../src/wire/postgres/query.ts';
import { readRowDescription } from '../../src/wire/postgres/row-description.ts';
import { readPassword, readSaslInitial } from '../../src/wire/postgres/sasl.ts';
import { readStartup } from '../../src/wire/postgres/startup.ts';
import { backendLimit, frontendLimit, loginLimit } from '../../src/wire/postgres/types.ts';

/**
 * Everything that reads bytes from outside, by the name of its corpus. Each gives what it read, so that what it read in
 * one piece and in many can be compared, and throws nothing but Faults.
 */
export const DECODERS: Readonly<Record<string, (bytes: Buffer, cuts: Cuts) => unknown>> = {
  'frontend-stream': (bytes, cuts) => framed(bytes, cuts, frontendLimit),
  'backend-stream': (bytes, cuts) => framed(bytes, cuts, backendLimit),
  'login-stream': (bytes, cuts) => framed(bytes, cuts, loginLimit),
  startup: (bytes) => readStartup(bytes),
  'sasl-initial': whole(readSaslInitial),
  password: whole(readPassword),
  authentication: whole(readAuthentication),
  query: whole(readQuery),
  parse: whole(readParse),
  bind: whole(readBind),
  named: whole(readNamed),
  execute: whole(readExecute),
  'row-description': whole(readRowDescription),
  report: whole(readReport),
  'parameter-status': whole(readParameterStatus),
  'key-data': whole(readBackendKeyData),
  'command-tag': whole(readCommandTag),
  'copy-response': whole(readCopyResponse),
  ready: whole(readReadyForQuery),
  row: (bytes) => masked(bytes, 'row'),
  'copy-data': (bytes) => masked(bytes, 'copy'),
  sql: (bytes) => lexed(bytes.toString('utf8')),
  scram: (bytes) => spoken(bytes.toString('utf8')),
  pass: (bytes) => parsePass(bytes.toString('utf8')),
  token: (bytes) => [looksLikeJwt(bytes.toString('utf8')), claimedIssuer(bytes.toString('utf8'))],
  form: (bytes) => exchanged(bytes.toString('utf8')),
  config: (bytes) => parseConfig(bytes.toString('utf8'), '/nowhere/sallyport.yaml').ok,
  'evidence-record': (bytes) => decodeRecord(bytes, 0),
  'evidence-header': (bytes) => decodeHeader(bytes),
  'recording-entries': (bytes) => [...decodeEntries(bytes, { target: 't', sessions: ['a', 'b'] })],
};

/** Lengths of the pieces in which a stream arrives, over and over. */
export type Cuts = readonly number[];

function whole(read: (bytes: Uint8Array, start: number, end: number) => unknown): (bytes: Buffer) => unknown {
  // Something lies around the message, and must not be read.
  return (bytes) => read(Buffer.concat([AROUND, bytes, AROUND]), AROUND.length, AROUND.length + bytes.length);
}

const AROUND = Buffer.from('4141414100ff', 'hex');

function framed(bytes: Buffer, cuts: Cuts, limitOf: (type: number) => number | undefined): unknown {
  const framer = new Framer(limitOf);
  const found: string[] = [];
  let large = '';
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const chunk = bytes.subarray(at, at + Math.max(1, cuts[n % cuts.length] ?? bytes.length));
    at += chunk.length;
    framer.push(Buffer.from(chunk));
    for (let next = framer.next(); next !== 'none'; next = framer.next()) {
      const text = Buffer.from(framer.bytes.subarray(framer.start, framer.end)).toString('latin1');
      // Pieces of a large message are cut as they arrive.
      if (next === 'piece') large += text;
      else found.push(`${next} ${framer.type} ${framer.length} ${text}`);
    }
  }
  return [found, large];
}

const FIELDS = [25, 1009, 3802, 23, 1114, 1700].map((type, n) => {
  return { name: 'c', table: 1, attribute: n + 1, type, modifier: -1, format: n % 2 === 0 ? 0 : 1 } as const;
});
const MASKED: readonly Obligation[] = [
  { kind: 'mask', column: 't/d/s/r/c', table: 1, attribute: 1, label: 'pii.email', style: 'email' },
  { kind: 'mask', column: 't/d/s/r/d', table: 1, attribute: 6, label: 'pii', style: 'partial' },
];
const LOOKED_FOR = ['card', 'ssn', 'email', 'phone', 'iban', 'secret', 'nino', 'ip', 'passport', 'entropy'];
// Assigned, since an object with a member of this name would be taken for a promise.
const DETECTED = Object.assign(
  { kind: 'detect' as const, detectors: LOOKED_FOR },
  { ['then' as const]: 'mask' as const },
);

function masked(bytes: Buffer, as: 'row' | 'copy'): unknown {
  const fields = as === 'row' ? FIELDS : FIELDS.slice(0, 1);
  const plan = planResult(fields, [...(as === 'row' ? MASKED : []), DETECTED], () => (value) => value);
  const around = Buffer.concat([AROUND, bytes, AROUND]);
  const end = AROUND.length + bytes.length;
  const leaving = new Rewrite();
  leaving.begin(around);
  if (as === 'row') plan.maskRow(around, 1, AROUND.length, end, leaving);
  else plan.scanText(around, AROUND.length, end);
  if (!around.subarray(end).equals(AROUND)) throw new Error('bytes behind the row were written');
  return Buffer.from(leaving.end() ?? []).toString('hex');
}

function lexed(text: string): unknown {
  const token = new Lexer(text);
  let count = 0;
  let until = 0;
  while (token.next()) {
    if (token.start < until || token.end <= token.start) throw new Error('a token does not move on');
    until = token.end;
    count += 1;
  }
  return [count, templateOf(text), secretless(text).length];
}

function spoken(text: string): unknown {
  const [first = '', final = ''] = text.split('\n');
  const server = new ScramServer(undefined);
  server.receive('SCRAM-SHA-256', first);
  const keys = { salt: Buffer.alloc(16), iterations: 4096, storedKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) };
  server.challenge(keys, 'nonce');
  return server.verify(final);
}

function exchanged(text: string): unknown {
  const form = readForm(text);
  return form instanceof URLSearchParams ? readExchange(form) : form;
}
