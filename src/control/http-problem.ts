import type { Fault, FaultCode } from '../core/fault.ts';

/** An answer of RFC 9457 on its way out. Thrown by routes; `detail` is for whoever asked. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, code: string, detail: string, hint?: string) {
    super(detail);
    this.name = 'HttpProblem';
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export const notFound = (what: string): HttpProblem => new HttpProblem(404, 'NOT_FOUND', `there is no such ${what}`);

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not right',
  401: 'Not logged in',
  403: 'Not permitted',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'In conflict with what is there',
  413: 'Too large',
  415: 'Not a content type this understands',
  422: 'Understood, and cannot be done',
  429: 'Too many requests',
  500: 'A fault in the gateway',
  502: 'The target did not do its part',
  503: 'Not available now',
};

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
  readonly request: string;
}

export function problemBody(problem: HttpProblem, request: string): ProblemBody {
  const { status, code, message, hint } = problem;
  const title = TITLES[status] ?? 'Problem';
  const body = { type: 'about:blank', title, status, code, detail: message, request };
  return hint === undefined ? body : { ...body, hint };
}

/** Status of a fault, and whether its message is for whoever asked: it is about what they sent. */
const ANSWERS: Readonly<Partial<Record<FaultCode, readonly [status: number, told: boolean]>>> = {
  PROTOCOL_MALFORMED: [400, true],
  PROTOCOL_LIMIT: [400, true],
  PROTOCOL_UNSUPPORTED: [400, true],
  GRANT_INVALID: [400, true],
  CONFIG_INVALID: [400, true],
  LOGIN_FAILED: [401, false],
  TOKEN_INVALID: [401, false],
  LOGIN_THROTTLED: [429, false],
  NOT_PERMITTED: [403, true],
  NOT_FOUND: [404, true],
  TARGET_UNKNOWN: [404, true],
  CONFLICT: [409, true],
  SQL_UNREADABLE: [422, true],
  SQL_UNRESOLVED: [422, true],
  TARGET_UNREACHABLE: [502, false],
  TARGET_CREDENTIAL: [502, false],
  TARGET_PROTOCOL: [502, false],
  CATALOG_UNREADABLE: [502, false],
  TARGET_BUSY: [503, false],
  EVIDENCE_UNWRITABLE: [503, false],
  SECRET_UNAVAILABLE: [503, false],
  STORE_UNAVAILABLE: [503, false],
  FEED_STALE: [503, false],
  ABORTED: [503, false],
};

export function faultProblem(fault: Fault): HttpProblem {
  const [status, told] = ANSWERS[fault.code] ?? [500, false];
  return new HttpProblem(status, fault.code, told ? fault.message : (UNTOLD[status] ?? 'something went wrong'));
}

const UNTOLD: Readonly<Record<number, string>> = {
  401: 'the pass or token is not valid here, or no longer',
  429: 'too many failed logins; wait a minute, then try again',
  500: 'something went wrong; the gateway’s log has the request id',
  502: 'the target could not be reached or did not answer as expected; "sallyport targets test" says more',
  503: 'the gateway cannot do this now; try again shortly',
};
