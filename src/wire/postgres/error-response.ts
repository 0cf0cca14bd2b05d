import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { Backend } from './types.ts';

/** The fields of an ErrorResponse or NoticeResponse that the gateway writes or looks at. */
export interface Report {
  readonly severity: 'ERROR' | 'FATAL' | 'PANIC' | 'WARNING' | 'NOTICE' | 'DEBUG' | 'INFO' | 'LOG';
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

export function writeErrorResponse(report: Report): Uint8Array {
  return write(Backend.errorResponse, report);
}

export function writeNoticeResponse(report: Report): Uint8Array {
  return write(Backend.noticeResponse, report);
}

function write(type: number, report: Report): Uint8Array {
  return new ByteWriter(256)
    .message(type, (body) => {
      const field = (name: string, value: string | undefined) => {
        if (value !== undefined) body.byte(name.charCodeAt(0)).cstring(value.replaceAll('\0', '\u2400'));
      };
      field('S', report.severity);
      field('V', report.severity);
      field('C', report.code);
      field('M', report.message);
      field('D', report.detail);
      field('H', report.hint);
      body.byte(0);
    })
    .take();
}

/** All fields by their letter. Old servers send no `V`; `S` may be in the server's language. */
export function readReport(bytes: Uint8Array, start: number, end: number): ReadonlyMap<string, string> {
  const reader = new ByteReader(bytes, start, end);
  const fields = new Map<string, string>();
  for (let letter = reader.byte(); letter !== 0; letter = reader.byte()) {
    fields.set(String.fromCharCode(letter), reader.cstring());
  }
  reader.done();
  return fields;
}

/** Detail, hint, context and internal query: what may hold values of rows the statement touched. */
const DETAILS: ReadonlySet<string> = new Set(['D', 'H', 'W', 'q', 'p']);

export function withoutDetails(report: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...report].filter(([letter]) => !DETAILS.has(letter)));
}

/** Classes of SQLSTATE whose messages name things and limits, never values (appendix A of PostgreSQL's manual). */
const NAMES_ONLY: ReadonlySet<string> = new Set('08 0A 23 25 26 28 2D 34 3B 3D 3F 40 42 53 54 55 57 58'.split(' '));

/**
 * Without details, and without the message where it may quote values: of types, or chosen by a function's author (what is
 * raised in one has a context).
 */
export function withoutValues(report: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const code = report.get('C') ?? '';
  const raised = report.has('W');
  if (NAMES_ONLY.has(code.slice(0, 2)) && !raised) return withoutDetails(report);
  return new Map([
    ...withoutDetails(report),
    ['M', `the message is withheld: it could quote a labelled column (${code})`],
  ]);
}

export function writeReport(type: number, report: ReadonlyMap<string, string>): Uint8Array {
  return new ByteWriter(256)
    .message(type, (body) => {
      for (const [letter, value] of report) body.byte(letter.charCodeAt(0)).cstring(value);
      body.byte(0);
    })
    .take();
}
