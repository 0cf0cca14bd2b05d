import { ACTIONS } from '../core/action.ts';
import type { Caveats, Scope, ScopeAction, StatementBinding } from '../core/caveats.ts';
import { parseBlock } from '../core/network.ts';

/**
 * `authorization_details` and its companions, read into Caveats. Strict: a field that is not known is an error, never
 * ignored, because whoever wrote it meant to take something away.
 */
export type Parsed<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** How scopes travel: core's Scope with the `type` RFC 9396 asks for. */
export type AuthorizationDetail = Scope & { readonly type: 'sallyport' };

const MAX_JSON = 64 * 1024;
const MAX_SCOPES = 32;
const MAX_LIST = 256;
const MAX_NAME = 256;
const MAX_STATEMENT = 16 * 1024;
const MAX_ROWS = 1_000_000_000;

const FIELDS = ['type', 'target', 'databases', 'roles', 'actions', 'tables', 'statement'];
const SCOPE_ACTIONS: ReadonlySet<string> = new Set<string>([
  ...ACTIONS.filter((action) => !action.startsWith('gateway-')),
  'read',
  'write',
]);

/** Reads the JSON of `authorization_details`. */
export function parseScopes(json: string): Parsed<readonly Scope[]> {
  if (json.length > MAX_JSON) return { problems: [`authorization_details: longer than ${MAX_JSON} characters`] };
  let details: unknown;
  try {
    details = JSON.parse(json);
  } catch {
    return { problems: ['authorization_details: not JSON'] };
  }
  if (!Array.isArray(details)) return { problems: ['authorization_details: not a list'] };
  if (details.length === 0) return { problems: ['authorization_details: an empty list would allow nothing'] };
  if (details.length > MAX_SCOPES) return { problems: [`authorization_details: more than ${MAX_SCOPES}`] };

  const problems: string[] = [];
  const scopes = details.map((detail, index) => readScope(detail, `authorization_details[${index}]`, problems));
  return problems.length > 0 ? { problems } : { value: scopes };
}

/** Reads the form fields `rows`, `total_rows` and `sources` beside it. */
export function parseLimits(fields: {
  rows?: string;
  totalRows?: string;
  sources?: string;
}): Parsed<Omit<Caveats, 'scopes'>> {
  const problems: string[] = [];
  const count = (text: string | undefined, name: string): number | undefined => {
    const found = text === undefined ? undefined : wholeNumber(text, name, { least: 0, most: MAX_ROWS });
    if (typeof found !== 'string') return found;
    problems.push(found);
    return undefined;
  };
  const rows = count(fields.rows, 'rows');
  const totalRows = count(fields.totalRows, 'total_rows');
  const sources = fields.sources?.split(/[\s,]+/).filter((source) => source !== '');
  if (sources && (sources.length === 0 || sources.length > MAX_LIST))
    problems.push(`sources: not 1 to ${MAX_LIST} blocks`);
  for (const source of sources ?? []) {
    if (!parseBlock(source)) problems.push(`sources: ${quoted(source)} is not an address block such as 10.0.0.0/8`);
  }
  if (problems.length > 0) return { problems };
  return {
    value: {
      ...(rows === undefined ? {} : { rows }),
      ...(totalRows === undefined ? {} : { totalRows }),
      ...(sources ? { sources } : {}),
    },
  };
}

/** The number, or what is wrong with it. */
export function wholeNumber(text: string, name: string, range: { least: number; most: number }): number | string {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.least && value <= range.most) return value;
  return `${name}: not a whole number from ${range.least} to ${range.most}`;
}

export function toDetails(scopes: readonly Scope[]): AuthorizationDetail[] {
  return scopes.map((scope) => ({ type: 'sallyport', ...scope }));
}

function readScope(value: unknown, at: string, problems: string[]): Scope {
  const nothing: Scope = { target: '' };
  if (!isRecord(value)) {
    problems.push(`${at}: not an object`);
    return nothing;
  }
  for (const field of Object.keys(value)) {
    if (!FIELDS.includes(field))
      problems.push(`${at}.${quoted(field)}: not a known field; known are ${FIELDS.join(', ')}`);
  }
  if (value['type'] !== 'sallyport') problems.push(`${at}.type: must be "sallyport"`);
  const target = value['target'];
  if (!isName(target)) {
    problems.push(`${at}.target: must be the name of a target`);
    return nothing;
  }
  const databases = readNames(value['databases'], `${at}.databases`, problems);
  const roles = readNames(value['roles'], `${at}.roles`, problems);
  const actions = readActions(value['actions'], `${at}.actions`, problems);
  const tables = readTables(value['tables'], `${at}.tables`, problems);
  const statement = readStatement(value['statement'], `${at}.statement`, problems);
  return {
    target,
    ...(databases ? { databases } : {}),
    ...(roles ? { roles } : {}),
    ...(actions ? { actions } : {}),
    ...(tables ? { tables } : {}),
    ...(statement ? { statement } : {}),
  };
}

function readNames(value: unknown, at: string, problems: string[]): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_LIST && value.every(isName)) {
    return [...new Set<string>(value)];
  }
  problems.push(`${at}: must be a list of 1 to ${MAX_LIST} names`);
  return undefined;
}

function readActions(value: unknown, at: string, problems: string[]): readonly ScopeAction[] | undefined {
  const names = readNames(value, at, problems);
  for (const name of names ?? []) {
    if (!isScopeAction(name)) problems.push(`${at}: ${quoted(name)} is not an action`);
  }
  return names?.filter(isScopeAction);
}

function readTables(value: unknown, at: string, problems: string[]): Scope['tables'] {
  if (value === undefined) return undefined;
  if (!isRecord(value) || Object.keys(value).length === 0 || Object.keys(value).length > MAX_LIST) {
    problems.push(`${at}: must be an object of 1 to ${MAX_LIST} tables`);
    return undefined;
  }
  const tables: [string, '*' | readonly string[]][] = [];
  for (const [table, columns] of Object.entries(value)) {
    if (!isTableName(table)) {
      problems.push(`${at}.${quoted(table)}: not of the form schema.table, each part percent-encoded`);
    }
    if (columns === '*') tables.push([table, '*']);
    else if (Array.isArray(columns) && columns.length <= MAX_LIST && columns.every(isName)) {
      tables.push([table, [...new Set<string>(columns)]]);
    } else problems.push(`${at}.${quoted(table)}: must be "*" or a list of columns`);
  }
  return Object.fromEntries(tables);
}

function readStatement(value: unknown, at: string, problems: string[]): StatementBinding | undefined {
  if (value === undefined) return undefined;
  const known = isRecord(value) ? Object.keys(value).sort().join(' ') : '';
  if (isRecord(value) && value['kind'] === 'fingerprint' && known === 'fingerprint kind') {
    const fingerprint = value['fingerprint'];
    if (typeof fingerprint === 'string' && /^[0-9a-f]{1,64}$/.test(fingerprint))
      return { kind: 'fingerprint', fingerprint };
  }
  if (isRecord(value) && value['kind'] === 'exact' && (known === 'kind text' || known === 'kind parameters text')) {
    const { text, parameters } = value;
    if (isText(text) && parameters === undefined) return { kind: 'exact', text };
    if (isText(text) && Array.isArray(parameters) && parameters.length <= MAX_LIST && parameters.every(isParameter)) {
      return { kind: 'exact', text, parameters: [...parameters] };
    }
  }
  problems.push(`${at}: must be {"kind":"exact","text":…,"parameters":[…]} or {"kind":"fingerprint","fingerprint":…}`);
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME && !/[\u0000-\u001f\u007f]/.test(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_STATEMENT && !value.includes('\0');
}

function isParameter(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && value.length <= MAX_STATEMENT);
}

function isScopeAction(name: string): name is ScopeAction {
  return SCOPE_ACTIONS.has(name);
}

/** A dot inside a part must be written %2E, so that the one dot left is the border. */
function isTableName(name: string): boolean {
  const part = '(?:[^\\u0000-\\u001f\\u007f%/"\\\\.]|%[0-9A-F]{2})+';
  return name.length <= 2 * MAX_NAME && new RegExp(`^${part}\\.${part}$`, 'u').test(name);
}

/** Outer text inside a message: short, and without anything that could disturb a terminal. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text).replace(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '',
  );
}
