/** Type bytes of PostgreSQL's protocol 3, by who sends them ("Message Formats" in its manual). */
export const Frontend = {
  bind: 0x42, // B
  close: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  describe: 0x44, // D
  execute: 0x45, // E
  flush: 0x48, // H
  functionCall: 0x46, // F
  parse: 0x50, // P
  password: 0x70, // p, also SASL answers
  query: 0x51, // Q
  sync: 0x53, // S
  terminate: 0x58, // X
} as const;

export const Backend = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  commandComplete: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyInResponse: 0x47, // G
  copyOutResponse: 0x48, // H
  dataRow: 0x44, // D
  emptyQueryResponse: 0x49, // I
  errorResponse: 0x45, // E
  negotiateProtocolVersion: 0x76, // v
  noData: 0x6e, // n
  noticeResponse: 0x4e, // N
  notificationResponse: 0x41, // A
  parameterDescription: 0x74, // t
  parameterStatus: 0x53, // S
  parseComplete: 0x31, // 1
  portalSuspended: 0x73, // s
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

const KB = 1024;
const MB = 1024 * KB;

/** Longest SQL text the gateway reads; the reader's own cap is not above it. */
export const MAX_TEXT: number = MB;

/** Bodies kept whole, by type. A larger Query, Parse or Bind is refused with the session alive; CopyData is relayed in pieces. */
export function frontendLimit(type: number): number | undefined {
  switch (type) {
    case Frontend.query:
      return MAX_TEXT + 1;
    case Frontend.parse:
      return MAX_TEXT + 256 * KB; // 65,535 parameter types of 4 bytes
    case Frontend.bind:
      return 64 * MB;
    case Frontend.copyData:
      return 64 * KB;
    case Frontend.copyFail:
    case Frontend.functionCall:
    case Frontend.close:
    case Frontend.describe:
    case Frontend.execute:
      return 8 * KB;
    case Frontend.copyDone:
    case Frontend.flush:
    case Frontend.sync:
    case Frontend.terminate:
      return 0;
    default:
      return undefined;
  }
}

/** During login only password messages come; PG_MAX_AUTH_TOKEN_LENGTH of PostgreSQL. */
export function loginLimit(type: number): number | undefined {
  return type === Frontend.password ? 65_535 : undefined;
}

/** A row kept whole when it must be masked or scanned; larger ones are relayed in pieces where nothing needs reading. */
export const MAX_ROW: number = 64 * MB;

export function backendLimit(type: number): number | undefined {
  switch (type) {
    case Backend.dataRow:
    case Backend.copyData:
      return MAX_ROW;
    case Backend.rowDescription: // 1,664 columns with long names
    case Backend.parameterDescription:
    case Backend.errorResponse:
    case Backend.noticeResponse:
    case Backend.notificationResponse:
      return 4 * MB;
    case Backend.authentication:
    case Backend.backendKeyData:
    case Backend.commandComplete:
    case Backend.copyInResponse:
    case Backend.copyOutResponse:
    case Backend.parameterStatus:
    case Backend.negotiateProtocolVersion:
      return 64 * KB;
    case Backend.bindComplete:
    case Backend.closeComplete:
    case Backend.copyDone:
    case Backend.emptyQueryResponse:
    case Backend.noData:
    case Backend.parseComplete:
    case Backend.portalSuspended:
      return 0;
    case Backend.readyForQuery:
      return 1;
    default:
      return undefined;
  }
}
