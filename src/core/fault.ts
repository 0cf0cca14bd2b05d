/**
 * A fault is something that went wrong on the road, as opposed to a denial (data, see decision.ts) and to a bug
 * (`unreachable`). It is thrown; the client sees its code and a session id, never its message's inner details.
 * On the road to a decision every fault is a denial.
 */

/** Stable codes. A code is never reused for another meaning; docs/reference/contract.md lists them for users. */
export type FaultCode =
  | 'PROTOCOL_MALFORMED' // bytes that are not a message of the protocol
  | 'PROTOCOL_ENCODING' // text that is not valid UTF-8
  | 'PROTOCOL_LIMIT' // a message, count or depth over its limit
  | 'PROTOCOL_UNEXPECTED' // a well-formed message the state does not allow
  | 'PROTOCOL_UNSUPPORTED' // a feature the gateway refuses to speak
  | 'LOGIN_FAILED' // wrong, expired or revoked credential; one message for all of them
  | 'LOGIN_THROTTLED' // too many failed logins from this source or for this name
  | 'TARGET_UNKNOWN'
  | 'TARGET_UNREACHABLE'
  | 'TARGET_BUSY' // the target's connection cap is reached and its queue is full
  | 'TARGET_CREDENTIAL' // the target refused the credential the gateway holds
  | 'TARGET_PROTOCOL' // the target spoke something the gateway cannot read
  | 'SQL_UNREADABLE' // text that the parser cannot read, or not in time
  | 'SQL_UNRESOLVED' // a name the catalog does not know
  | 'CATALOG_UNREADABLE'
  | 'POLICY_INVALID'
  | 'POLICY_FAILED' // an evaluation ended with diagnostics errors
  | 'EVIDENCE_UNWRITABLE' // a record could not be written
  | 'EVIDENCE_BROKEN' // a record, segment or link does not verify
  | 'SECRET_UNAVAILABLE'
  | 'CONFIG_INVALID'
  | 'STORE_UNAVAILABLE'
  | 'FEED_STALE' // the revocation feed is older than allowed
  | 'GRANT_INVALID' // an exchange asked for something the grant tree cannot give
  | 'TOKEN_INVALID' // a token of an identity provider that does not verify
  | 'NOT_FOUND'
  | 'NOT_PERMITTED' // an answer by somebody who is not asked
  | 'CONFLICT'
  | 'ABORTED' // the work was told to stop
  | 'INTERNAL';

export class Fault extends Error {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Fault';
    this.code = code;
  }
}

/** The fault itself, or any other thrown thing wrapped as one. */
export function asFault(thrown: unknown, code: FaultCode = 'INTERNAL'): Fault {
  if (thrown instanceof Fault) return thrown;
  return new Fault(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

/** Marks a place the types say cannot be reached; reaching it is a bug and ends the session. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
