/** Codes of RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 9396 §5 and RFC 8628 §3.5 that the token endpoint answers with. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_target'
  | 'invalid_authorization_details'
  | 'unsupported_grant_type'
  | 'slow_down';

/** A request for a grant that was refused. `details` names each thing that did not fit, in words. */
export interface OAuthError {
  readonly error: OAuthErrorCode;
  readonly description: string;
  readonly details: readonly string[];
}

export function oauthError(error: OAuthErrorCode, description: string, details: readonly string[] = []): OAuthError {
  return { error, description, details };
}

export function isOAuthError(value: object): value is OAuthError {
  return 'error' in value;
}
