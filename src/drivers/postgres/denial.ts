import type { Denial, Reason } from '../../core/decision.ts';
import { type Fault, unreachable } from '../../core/fault.ts';
import { writeErrorResponse } from '../../wire/postgres/error-response.ts';
import { writeParse } from '../../wire/postgres/parse.ts';
import { writeQuery } from '../../wire/postgres/query.ts';

/**
 * Text that PostgreSQL's grammar refuses whatever its state, so that a denied message put through the server leaves
 * it as a server error would: transaction aborted, pipeline skipped to Sync. Operators find it in the target's log.
 */
const UNPARSEABLE = 'refused by Sallyport';

/** SQLSTATE of what the server answers to `UNPARSEABLE`. */
export const SYNTAX_ERROR = '42601';

/** A Query that fails to parse. */
export const BROKEN_QUERY: Uint8Array = writeQuery(UNPARSEABLE);

/** A Parse that fails. Named, because an unnamed one would drop the unnamed statement before it fails. */
export const BROKEN_PARSE: Uint8Array = writeParse({ statement: 'sallyport_refused', text: UNPARSEABLE, types: [] });

/** A denial as the ERROR that takes the place of the server's answer. */
export function errorOf(denial: Denial, code: string = sqlState(denial.reason)): Uint8Array {
  return writeErrorResponse({ severity: 'ERROR', ...wordsOf(denial), code });
}

/** A denial that ends the connection. */
export function fatalOf(denial: Denial, code: string = sqlState(denial.reason)): Uint8Array {
  return writeErrorResponse({ severity: 'FATAL', ...wordsOf(denial), code });
}

function wordsOf(denial: Denial): { message: string; detail?: string; hint?: string } {
  return {
    message: denial.message,
    ...(denial.policies.length > 0 ? { detail: `decided by policy ${denial.policies.join(', ')}` } : {}),
    ...(denial.hint === undefined ? {} : { hint: denial.hint }),
  };
}

/** SQLSTATE classes as in appendix A of PostgreSQL's manual. */
export function sqlState(reason: Reason): string {
  switch (reason) {
    case 'unreadable':
      return '42601'; // syntax_error
    case 'unresolved':
      return '42P01'; // undefined_table
    case 'unsupported':
      return '0A000'; // feature_not_supported
    case 'uses-exhausted':
    case 'budget-spent':
      return '54000'; // program_limit_exceeded
    case 'policy-fault':
    case 'record-fault':
    case 'feed-stale':
      return '58000'; // system_error
    case 'grant-expired':
    case 'grant-revoked':
      return '57P01'; // admin_shutdown
    case 'cancelled':
      return '57014'; // query_canceled
    case 'permitted':
    case 'no-permit':
    case 'forbidden':
    case 'approval-required':
    case 'approval-denied':
    case 'approval-expired':
    case 'caveat':
    case 'labelled-column':
    case 'barrier':
      return '42501'; // insufficient_privilege
    default:
      return unreachable(reason);
  }
}

/** Faults that say what the client did or can do. Others may name files, hosts and secrets of the operator's. */
const FOR_CLIENTS = /^(?:PROTOCOL|LOGIN|TOKEN|TARGET|SQL|FEED)_|^ABORTED$/;

/** A fault as the FATAL before the connection closes: its code, and its message only where that is the client's. */
export function fatalFault(fault: Fault, session: string | undefined): Uint8Array {
  const where = session === undefined ? '' : ` (session ${session})`;
  const message = FOR_CLIENTS.test(fault.code)
    ? fault.message
    : 'the gateway cannot do this now; its operator can see why';
  return writeErrorResponse({
    severity: 'FATAL',
    code: faultState(fault),
    message: `${message}${where}`,
    detail: fault.code,
  });
}

/** SQLSTATE of a fault. */
export function faultState(fault: Fault): string {
  switch (fault.code) {
    case 'PROTOCOL_MALFORMED':
    case 'PROTOCOL_ENCODING':
    case 'PROTOCOL_LIMIT':
    case 'PROTOCOL_UNEXPECTED':
      return '08P01'; // protocol_violation
    case 'PROTOCOL_UNSUPPORTED':
      return '0A000';
    case 'LOGIN_FAILED':
    case 'TOKEN_INVALID':
      return '28P01'; // invalid_password
    case 'LOGIN_THROTTLED':
    case 'TARGET_BUSY':
      return '53300'; // too_many_connections
    case 'TARGET_UNKNOWN':
      return '3D000'; // invalid_catalog_name
    case 'TARGET_UNREACHABLE':
    case 'TARGET_CREDENTIAL':
    case 'TARGET_PROTOCOL':
      return '08006'; // connection_failure
    case 'ABORTED':
    case 'FEED_STALE':
      return '57P01'; // admin_shutdown
    default:
      return '58000';
  }
}
