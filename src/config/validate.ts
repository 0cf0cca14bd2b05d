import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { formatPath, type Path } from './problem.ts';
import { policyTestsSchema, type RawPolicyTest } from './schema/policy-test.ts';
import { configSchema, type RawConfig } from './schema/root.ts';
import { didYouMean } from './suggest.ts';

// The one place that knows the schema validator.

const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true });
ajv.addKeyword({ keyword: 'says', schemaType: 'string' });
// Compiled at first use: most commands need neither.
let checkConfig: Check | undefined;
let checkTests: Check | undefined;

/** More than a person reads; the rest is reported once these are gone. */
const MAX_PROBLEMS = 100;

export interface Misfit {
  readonly path: Path;
  /** True when the key itself is wrong, not its value. */
  readonly key: boolean;
  readonly message: string;
}

/** What in `value` does not fit the schema; nothing means that it is a `RawConfig`. Messages never repeat a value. */
export function misfits(value: unknown): readonly Misfit[] {
  checkConfig ??= ajv.compile<RawConfig>(configSchema);
  return misfitsBy(checkConfig, value);
}

/** The same value, typed: true of it only where no misfit is. */
export function asRaw(value: unknown): RawConfig {
  return value as RawConfig;
}

/** The tests in a file, or what does not fit. */
export function readTests(value: unknown): { readonly tests: readonly RawPolicyTest[] } | readonly Misfit[] {
  checkTests ??= ajv.compile<RawPolicyTest[]>(policyTestsSchema);
  const found = misfitsBy(checkTests, value);
  return found.length > 0 ? found : { tests: value as RawPolicyTest[] };
}

type Check = ValidateFunction<RawConfig> | ValidateFunction<RawPolicyTest[]>;

function misfitsBy(check: Check, value: unknown): readonly Misfit[] {
  if (check(value)) return [];
  const found = (check.errors ?? []).flatMap((error) => describe(error, value));
  // A value that fits no branch of a union is reported once, by the union.
  const unions = found.filter((misfit) => misfit.union).map((misfit) => formatPath(misfit.path));
  const seen = new Set<string>();
  return found
    .filter((misfit) => misfit.union || !unions.includes(formatPath(misfit.path)))
    .filter((misfit) => {
      const text = `${formatPath(misfit.path)} ${misfit.message}`;
      return !seen.has(text) && seen.add(text);
    })
    .slice(0, MAX_PROBLEMS);
}

function describe(error: ErrorObject, root: unknown): (Misfit & { union: boolean })[] {
  const path = pathOf(error.instancePath, root);
  const name = path.length === 0 ? 'the file' : formatPath(path);
  const at = (message: string, union = false) => [{ path, key: false, message, union }];
  const schema = error.parentSchema ?? {};
  const params: Record<string, unknown> = error.params;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = Object.keys((schema['properties'] ?? {}) as object);
      const message = `${formatPath([...path, key])} is not a known key${didYouMean(key, known)}`;
      return [{ path: [...path, key], key: true, message, union: false }];
    }
    case 'required': {
      const key = String(params['missingProperty']);
      return [{ path: [...path, key], key: false, message: `${name} must have "${key}"`, union: false }];
    }
    case 'type':
      return at(`${name} must be ${withArticle(String(params['type']))}`);
    case 'const':
      return at(`${name} must be ${JSON.stringify(params['allowedValue'])}`);
    case 'enum': {
      const allowed = (params['allowedValues'] as string[]).map(String);
      const hint = typeof error.data === 'string' ? didYouMean(error.data, allowed) : '';
      return at(`${name} must be one of ${allowed.join(', ')}${hint}`);
    }
    case 'pattern':
      return at(`${name} must be ${String(schema['says'] ?? 'well-formed')}`);
    case 'minLength':
      return at(`${name} must not be empty`);
    case 'maxLength':
      return at(`${name} must be at most ${String(params['limit'])} characters long`);
    case 'minimum':
      return at(`${name} must be at least ${String(params['limit'])}`);
    case 'maximum':
      return at(`${name} must be at most ${String(params['limit'])}`);
    case 'minItems':
    case 'minProperties':
      return at(`${name} must have at least ${String(params['limit'])} of them`);
    case 'maxItems':
    case 'maxProperties':
      return at(`${name} must have at most ${String(params['limit'])} of them`);
    case 'uniqueItems':
      return at(`${name} has the same value twice`);
    case 'anyOf':
      return at(`${name} must be ${String(schema['says'] ?? 'text, a whole number, true or false')}`, true);
    default:
      return at(`${name} ${error.message ?? 'does not fit'}`);
  }
}

/** JSON pointer to path; a digit is an index only where the value above is a list. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Record<string, unknown>)[key];
  }
  return path;
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: 'text (quote it if it looks like something else)',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a set of keys',
};

function withArticle(type: string): string {
  return ARTICLES[type] ?? type;
}
