import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../core/fault.ts';
import { hex } from '../testing/bytes.ts';
import { type Authentication, readAuthentication, writeAuthentication } from './authentication.ts';
import {
  readBackendKeyData,
  readCommandTag,
  readCopyResponse,
  readParameterStatus,
  readReadyForQuery,
  writeBackendKeyData,
  writeParameterStatus,
  writeReadyForQuery,
} from './backend.ts';
import { formatAt, readBind } from './bind.ts';
import { readNamed, writeClose, writeDescribe } from './describe.ts';
import { readReport, writeErrorResponse } from './error-response.ts';
import { readExecute, writeExecute } from './execute.ts';
import { readParse, writeParse } from './parse.ts';
import { readQuery, writeQuery } from './query.ts';
import { readRowDescription } from './row-description.ts';
import { readPassword, readSaslInitial, writePassword, writeSaslInitial } from './sasl.ts';
import { MAX_STARTUP_LENGTH, readStartup, writeCancelRequest, writeSslRequest, writeStartup } from './startup.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => value.replaceAll('\0', ''));

describe('a message of the protocol', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(text, text, fc.array(fc.nat(0xffff_ffff), { maxLength: 5 }), (name, body, types) => {
        const query = writeQuery(body);
        expect(readQuery(query, 5, query.length)).toBe(body);
        const parse = writeParse({ statement: name, text: body, types });
        expect(readParse(parse, 5, parse.length)).toEqual({ statement: name, text: body, types });
        const execute = writeExecute({ portal: name, rows: types.length });
        expect(readExecute(execute, 5, execute.length)).toEqual({ portal: name, rows: types.length });
        const describe = writeDescribe({ kind: 'portal', name });
        expect(readNamed(describe, 5, describe.length)).toEqual({ kind: 'portal', name });
        const close = writeClose({ kind: 'statement', name });
        expect(readNamed(close, 5, close.length)).toEqual({ kind: 'statement', name });
        const password = writePassword(body);
        expect(readPassword(password, 5, password.length)).toBe(body);
        const status = writeParameterStatus(name, body);
        expect(readParameterStatus(status, 5, status.length)).toEqual({ name, value: body });
        const sasl = writeSaslInitial('SCRAM-SHA-256', body);
        expect(new TextDecoder().decode(readSaslInitial(sasl, 5, sasl.length).data)).toBe(body);
        const error = writeErrorResponse({ severity: 'ERROR', code: '42501', message: body, hint: name });
        expect([...readReport(error, 5, error.length)]).toEqual([
          ['S', 'ERROR'],
          ['V', 'ERROR'],
          ['C', '42501'],
          ['M', body],
          ['H', name],
        ]);
      }),
    );
  });

  it.each<Authentication>([
    { kind: 'ok' },
    { kind: 'cleartext' },
    { kind: 'md5', salt: hex('01 02 03 04') },
    { kind: 'sasl', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
    { kind: 'sasl-continue', data: 'r=abc,s=AA==,i=4096' },
    { kind: 'sasl-final', data: 'v=AA==' },
  ])('carries authentication $kind', (authentication) => {
    const bytes = writeAuthentication(authentication);
    expect(readAuthentication(bytes, 5, bytes.length)).toEqual(authentication);
  });

  it('carries cancel keys of both lengths', () => {
    for (const secret of [new Uint8Array(4).fill(7), new Uint8Array(32).fill(9)]) {
      const bytes = writeBackendKeyData({ process: 42, secret });
      expect(readBackendKeyData(bytes, 5, bytes.length)).toEqual({ process: 42, secret });
    }
    const ready = writeReadyForQuery('T');
    expect(readReadyForQuery(ready, 5, ready.length)).toBe('T');
  });

  it.each([
    ['a string without its terminator', () => readQuery(hex('61 62'), 0, 2)],
    ['a string that ends in the next message', () => readQuery(hex('61 62 00'), 0, 2)],
    ['bytes behind the last field', () => readQuery(hex('61 00 62'), 0, 3)],
    ['a NUL inside a query', () => readQuery(hex('61 00 62 00'), 0, 4)],
    ['a parameter longer than the message', () => readBind(hex('00 00 00 00 00 01 00 00 00 09 61 00 00'), 0, 13)],
    ['a negative parameter length that is not NULL', () => readBind(hex('00 00 00 00 00 01 ff ff ff fe 00 00'), 0, 12)],
    ['more formats than parameters', () => readBind(hex('00 00 00 02 00 00 00 00 00 01 ff ff ff ff 00 00'), 0, 16)],
    ['a format nobody knows', () => readBind(hex('00 00 00 01 00 02 00 00 00 00'), 0, 10)],
    ['a describe of neither', () => readNamed(hex('51 00'), 0, 2)],
    ['a status nobody knows', () => readReadyForQuery(hex('58'), 0, 1)],
  ])('is refused with %s', (_name, read) => {
    expect(read).toThrow(expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }));
  });

  it('is refused when its text is not UTF-8', () => {
    expect(() => readQuery(hex('c3 28 00'), 0, 3)).toThrow(expect.objectContaining({ code: 'PROTOCOL_ENCODING' }));
  });

  it('throws nothing but faults on random bytes', () => {
    const readers = [
      readQuery,
      readParse,
      readBind,
      readExecute,
      readNamed,
      readPassword,
      readSaslInitial,
      readAuthentication,
      readParameterStatus,
      readBackendKeyData,
      readCommandTag,
      readCopyResponse,
      readReadyForQuery,
      readReport,
      readRowDescription,
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...readers), (bytes, read) => {
        try {
          read(bytes, 0, bytes.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 2000 * EFFORT },
    );
  });

  it('gives one format to all, or each its own', () => {
    expect([formatAt([], 3), formatAt([1], 3), formatAt([0, 1], 1), formatAt([0, 1], 0)]).toEqual([0, 1, 1, 0]);
  });
});

describe('the startup message', () => {
  it('is read back as it was written, and not before it is complete', () => {
    const bytes = writeStartup(
      new Map([
        ['user', 'alice'],
        ['database', 'shop'],
      ]),
    );
    expect(readStartup(bytes.subarray(0, bytes.length - 1))).toBeUndefined();
    expect(readStartup(bytes)).toMatchObject({ consumed: bytes.length, message: { kind: 'startup', minor: 0 } });
    expect(readStartup(writeSslRequest())?.message).toEqual({ kind: 'ssl' });
    expect(readStartup(writeCancelRequest(7, hex('01 02 03 04')))?.message).toMatchObject({
      kind: 'cancel',
      process: 7,
    });
  });

  it.each([
    ['too short', '00 00 00 07 00 03 00 00', 'PROTOCOL_MALFORMED'],
    ['over 10,000 bytes', `00 00 ${(MAX_STARTUP_LENGTH + 1).toString(16)} 00 03 00 00`, 'PROTOCOL_LIMIT'],
    ['of protocol 2', '00 00 00 08 00 02 00 00', 'PROTOCOL_UNSUPPORTED'],
    ['with no end of its parameters', '00 00 00 0a 00 03 00 00 61 00', 'PROTOCOL_MALFORMED'],
    ['with bytes behind its parameters', '00 00 00 0a 00 03 00 00 00 61', 'PROTOCOL_MALFORMED'],
    ['with a parameter given twice', '00 00 00 11 00 03 00 00 61 00 62 00 61 00 63 00 00', 'PROTOCOL_MALFORMED'],
    ['that cancels with a secret of three bytes', '00 00 00 0f 04 d2 16 2e 00 00 00 01 01 02 03', 'PROTOCOL_MALFORMED'],
    ['that asks for TLS and says more', '00 00 00 09 04 d2 16 2f 00', 'PROTOCOL_MALFORMED'],
  ])('is refused when it is %s', (_name, bytes, code) => {
    expect(() => readStartup(hex(bytes))).toThrow(expect.objectContaining({ code }));
  });

  it('throws nothing but faults on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          readStartup(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 2000 * EFFORT },
    );
  });
});
