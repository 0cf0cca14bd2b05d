import type { Caveats } from '../core/caveats.ts';
import { MAX_DEPTH } from '../core/grant.ts';
import { parseLimits, parseScopes, wholeNumber } from './caveats.ts';
import { MAX_TOKEN } from './jwt.ts';
import { type OAuthError, oauthError } from './oauth-error.ts';

/** A token exchange as asked for, read and bounded but not yet believed. Absent means: the default. */
export interface ExchangeRequest {
  readonly subject: { readonly kind: 'id-token' | 'workload' | 'pass'; readonly token: string };
  readonly actor: AskedActor | undefined;
  readonly caveats: Caveats;
  /** Seconds. */
  readonly expiresIn: number | undefined;
  readonly connectWithin: number | undefined;
  readonly uses: number | undefined;
  readonly maxDepth: number | undefined;
  readonly delegable: boolean | undefined;
  readonly purpose: string | undefined;
}

export type AskedActor =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'asserted'; readonly name: string; readonly agentKind: string };

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:ietf:params:oauth:token-type:';
/** What is issued: a pass, which RFC 8693 calls an access token. */
export const PASS_TYPE: string = `${TYPE}access_token`;

const SUBJECT_KINDS: Readonly<Record<string, ExchangeRequest['subject']['kind']>> = {
  [`${TYPE}id_token`]: 'id-token',
  [`${TYPE}jwt`]: 'workload',
  [PASS_TYPE]: 'pass',
  'urn:sallyport:token-type:pass': 'pass',
};

const KNOWN: ReadonlySet<string> = new Set([
  'grant_type',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'actor',
  'requested_token_type',
  'authorization_details',
  'expires_in',
  'connect_within',
  'uses',
  'rows',
  'total_rows',
  'max_depth',
  'delegable',
  'purpose',
  'sources',
  // Public clients send it; it identifies nobody.
  'client_id',
]);

const YEAR = 366 * 24 * 3600;

/**
 * Reads the form of `POST /oauth/token`. Stricter than RFC 6749 §3.2, which ignores what it does not know and takes
 * an empty value for none: a limit that was misspelt, or whose shell variable was unset, must not vanish.
 */
export function readExchange(form: URLSearchParams): ExchangeRequest | OAuthError {
  const names = [...new Set(form.keys())];
  const problems = names.flatMap((name) => formProblem(name, form.getAll(name)));
  if (problems.length > 0) return oauthError('invalid_request', problems.join('; '), problems);
  const get = (name: string): string | undefined => form.get(name) ?? undefined;

  if (get('grant_type') !== TOKEN_EXCHANGE) {
    return oauthError('unsupported_grant_type', `grant_type must be ${TOKEN_EXCHANGE}`);
  }
  const wanted = get('requested_token_type');
  if (wanted !== undefined && SUBJECT_KINDS[wanted] !== 'pass') {
    return oauthError('invalid_request', `requested_token_type must be ${PASS_TYPE}`);
  }
  const subject = readSubject(get('subject_token'), get('subject_token_type'));
  if ('error' in subject) return subject;
  const actor = readActor(get('actor_token'), get('actor_token_type'), get('actor'));
  if (actor && 'error' in actor) return actor;
  return readLimits(get, subject, actor);
}

function formProblem(name: string, values: readonly string[]): string[] {
  if (name === 'scope') return ['scope: not taken; say what is wanted in authorization_details'];
  if (name === 'resource' || name === 'audience') return [`${name}: not taken; name targets in authorization_details`];
  if (!KNOWN.has(name)) return [`${JSON.stringify(name.slice(0, 40))}: not a known parameter`];
  if (values.length > 1) return [`${name}: given twice`];
  return values[0] === '' ? [`${name}: empty`] : [];
}

function readSubject(token: string | undefined, type: string | undefined): ExchangeRequest['subject'] | OAuthError {
  const kind = type !== undefined && Object.hasOwn(SUBJECT_KINDS, type) ? SUBJECT_KINDS[type] : undefined;
  if (token === undefined) return oauthError('invalid_request', 'subject_token is missing');
  if (kind === undefined) {
    return oauthError('invalid_request', `subject_token_type must be one of ${Object.keys(SUBJECT_KINDS).join(', ')}`);
  }
  if (token.length > MAX_TOKEN) return oauthError('invalid_request', 'subject_token is too long');
  return { kind, token };
}

function readActor(
  token: string | undefined,
  type: string | undefined,
  asserted: string | undefined,
): AskedActor | OAuthError | undefined {
  if (token !== undefined && asserted !== undefined) {
    return oauthError('invalid_request', 'give actor_token or actor, not both');
  }
  if (token !== undefined) {
    if (type !== `${TYPE}jwt`) return oauthError('invalid_request', `actor_token_type must be ${TYPE}jwt`);
    if (token.length > MAX_TOKEN) return oauthError('invalid_request', 'actor_token is too long');
    return { kind: 'token', token };
  }
  if (type !== undefined) return oauthError('invalid_request', 'actor_token_type without actor_token');
  return asserted === undefined ? undefined : readAsserted(asserted);
}

/** `{"name": "helper", "kind": "tool"}`. The name becomes part of an id: nothing that could be taken for a border. */
function readAsserted(json: string): AskedActor | OAuthError {
  const wrong = (what: string): OAuthError => oauthError('invalid_request', `actor: ${what}`);
  let value: unknown;
  try {
    value = json.length > 1024 ? undefined : JSON.parse(json);
  } catch {
    return wrong('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('not a small JSON object');
  if (Object.keys(value).some((field) => field !== 'name' && field !== 'kind'))
    return wrong('only name and kind are known');
  const name = 'name' in value ? value.name : undefined;
  const kind = 'kind' in value ? value.kind : 'tool';
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._@:#-]{0,63}$/.test(name)) {
    return wrong('name must be 1 to 64 of A-Z a-z 0-9 . _ @ : # - and start with a letter or digit');
  }
  if (typeof kind !== 'string' || !/^[a-z][a-z0-9-]{0,31}$/.test(kind)) return wrong('kind must be a lower-case word');
  return { kind: 'asserted', name, agentKind: kind };
}

function readLimits(
  get: (name: string) => string | undefined,
  subject: ExchangeRequest['subject'],
  actor: AskedActor | undefined,
): ExchangeRequest | OAuthError {
  const problems: string[] = [];
  const number = (name: string, least: number, most: number): number | undefined => {
    const text = get(name);
    const value = text === undefined ? undefined : wholeNumber(text, name, { least, most });
    if (typeof value !== 'string') return value;
    problems.push(value);
    return undefined;
  };
  const expiresIn = number('expires_in', 1, YEAR);
  const connectWithin = number('connect_within', 1, YEAR);
  const uses = number('uses', 1, 1_000_000_000);
  const maxDepth = number('max_depth', 0, MAX_DEPTH);

  const flag = get('delegable');
  if (flag !== undefined && flag !== 'true' && flag !== 'false') problems.push('delegable: must be true or false');
  if (flag === 'false' && (maxDepth ?? 0) > 0) problems.push('max_depth: must be 0 for a pass that may not delegate');
  if (flag === 'true' && maxDepth === 0) problems.push('max_depth: must be at least 1 for a pass that may delegate');
  const purpose = get('purpose');
  if (purpose !== undefined && (purpose.length > 256 || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(purpose))) {
    problems.push('purpose: at most 256 characters, on one line');
  }
  const [rows, totalRows, sources] = [get('rows'), get('total_rows'), get('sources')];
  const limits = parseLimits({
    ...(rows === undefined ? {} : { rows }),
    ...(totalRows === undefined ? {} : { totalRows }),
    ...(sources === undefined ? {} : { sources }),
  });
  if ('problems' in limits) problems.push(...limits.problems);
  if (problems.length > 0) return oauthError('invalid_request', problems.join('; '), problems);

  const details = get('authorization_details');
  const scopes = details === undefined ? undefined : parseScopes(details);
  if (scopes && 'problems' in scopes) {
    return oauthError('invalid_authorization_details', scopes.problems.join('; '), scopes.problems);
  }
  const caveats: Caveats = {
    ...('value' in limits ? limits.value : {}),
    ...(scopes ? { scopes: scopes.value } : {}),
  };
  const delegable = flag === undefined ? undefined : flag === 'true';
  return { subject, actor, caveats, expiresIn, connectWithin, uses, maxDepth, delegable, purpose };
}
