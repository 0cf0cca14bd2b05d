import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { isLoopback, parseAddress, parseOrigin } from './address.ts';
import { buildApprovals } from './build-approvals.ts';
import { buildProviders } from './build-identity.ts';
import { buildTarget } from './build-target.ts';
import type { Address, Config, DetectorConfig, SecretReference, StoreConfig, TargetConfig } from './config.ts';
import type { Notes } from './notes.ts';
import { patternProblem } from './pattern.ts';
import type { Entry, Path } from './problem.ts';
import { parseReference, REFERENCE_WORDS } from './reference.ts';
import type { RawConfig } from './schema/root.ts';

/** Names of the scanners that the gateway brings along. The masking room has them; the CLI's tests compare. */
export const DETECTORS: readonly string[] = [
  'card',
  'ssn',
  'email',
  'phone',
  'iban',
  'secret',
  'nino',
  'ip',
  'passport',
  'entropy',
];

export interface BuildContext {
  /** Absolute path of the file. */
  readonly file: string;
  readonly notes: Notes;
  /** True where the file does not fit the schema, at `path` or below: what stands there must not be touched. */
  readonly broken: (path: Path) => boolean;
}

/**
 * Turns a file that fits the schema into a configuration, noting everything the schema cannot see. What is returned
 * when there are errors, here or in the schema, is not to be used.
 */
export function buildConfig(raw: RawConfig, context: BuildContext): Config {
  const { file, notes, broken } = context;
  const directory = dirname(file);
  const section = <K extends keyof RawConfig>(key: K): RawConfig[K] | undefined =>
    broken([key]) ? undefined : raw[key];

  const url = section('url');
  const tls = section('tls');
  const detectors = buildDetectors(section('detectors') ?? [], notes);
  return {
    file,
    directory,
    data: resolve(directory, section('data') ?? './var'),
    url: url === undefined ? '' : buildUrl(url, notes),
    node: section('node') ?? nodeName(),
    store: buildStore(section('store') ?? 'embedded', directory, notes),
    managed: 'files',
    listen: buildListen(section('listen') ?? {}, notes),
    tls: tls && {
      certificate: buildPem(tls.certificate, ['tls', 'certificate'], directory, notes),
      key: buildPem(tls.key, ['tls', 'key'], directory, notes),
    },
    evidence: { durability: section('evidence')?.durability ?? 'process' },
    feedGrace: section('feed_grace') ?? 60,
    limits: buildLimits(section('limits') ?? {}),
    identity: { providers: buildProviders(entries(raw.identity?.providers, ['identity', 'providers'], broken), notes) },
    targets: buildTargets(raw, context, detectors),
    detectors,
    approvals: buildApprovals(section('approvals') ?? {}, directory, notes),
    policies: resolve(directory, section('policies') ?? './policies'),
  };
}

function buildTargets(raw: RawConfig, context: BuildContext, own: readonly DetectorConfig[]): readonly TargetConfig[] {
  const { file, notes, broken } = context;
  const detectors = broken(['detectors']) ? undefined : [...DETECTORS, ...own.map((detector) => detector.name)];
  const fitting = entries(raw.targets, ['targets'], broken);
  notes.unique(fitting.map(({ entry, path }) => ({ name: entry.name, path: [...path, 'name'] })));
  return fitting.map(({ entry, path }) => buildTarget(entry, { path, directory: dirname(file), detectors, notes }));
}

/** The entries of a list that fit, each with its place, also where others do not. */
function entries<T>(list: readonly T[] | undefined, at: Path, broken: BuildContext['broken']): readonly Entry<T>[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry: T, index) => ({ entry, path: [...at, index] })).filter(({ path }) => !broken(path));
}

function buildUrl(text: string, notes: Notes): string {
  const url = parseOrigin(text);
  if (url === undefined) notes.error(['url'], 'must be https://host[:port] and nothing after it');
  return url ?? '';
}

function buildListen(raw: NonNullable<RawConfig['listen']>, notes: Notes): Config['listen'] {
  const read = (name: 'https' | 'postgres' | 'health', normal: string): Address => {
    const path = ['listen', name];
    const address = parseAddress(raw[name] ?? normal);
    if (!address) notes.error(path, 'must be host:port, as in 127.0.0.1:7443 or [::1]:7443');
    return address ?? { host: '127.0.0.1', port: 0 };
  };
  const listen = {
    https: read('https', '127.0.0.1:7443'),
    postgres: read('postgres', '127.0.0.1:7432'),
    health: read('health', '127.0.0.1:7464'),
  };
  if (!isLoopback(listen.health.host)) {
    notes.warn(['listen', 'health'], 'is not on loopback: health and metrics are served without asking who wants them');
  }
  const taken = new Map<number, string>();
  for (const name of ['https', 'postgres', 'health'] as const) {
    const { port } = listen[name];
    const other = taken.get(port);
    if (port !== 0 && other) notes.error(['listen', name], `has the port of listen.${other}`);
    taken.set(port, name);
  }
  return listen;
}

function buildLimits(raw: NonNullable<RawConfig['limits']>): Config['limits'] {
  return {
    most: raw.connections ?? 20_000,
    perSource: raw.connections_per_source ?? 2_000,
    loginsPerSource: raw.logins_per_source ?? 500,
    loginTimeout: (raw.login_timeout ?? 30) * 1_000,
  };
}

function buildStore(text: string, directory: string, notes: Notes): StoreConfig {
  if (text === 'embedded') return { kind: 'embedded' };
  if (/^postgres(ql)?:\/\//.test(text)) {
    if (!URL.canParse(text)) notes.error(['store'], 'is not a postgres:// address');
    else if (new URL(text).password !== '') {
      notes.warn(['store'], 'holds a password in the file; use a secret reference to the whole address instead');
    }
    return { kind: 'url', url: text };
  }
  const reference = parseReference(text, directory);
  if (!reference) notes.error(['store'], `must be embedded, postgres://…, or ${REFERENCE_WORDS}`);
  else if (reference.scheme === 'sealed') notes.error(['store'], 'cannot be sealed in the store it opens');
  return reference ? { kind: 'reference', reference } : { kind: 'embedded' };
}

function buildDetectors(detectors: readonly DetectorConfig[], notes: Notes): readonly DetectorConfig[] {
  for (const [index, { name, pattern }] of detectors.entries()) {
    if (DETECTORS.includes(name)) notes.error(['detectors', index, 'name'], `"${name}" is the name of a built-in one`);
    const problem = patternProblem(pattern);
    if (problem !== undefined) notes.error(['detectors', index, 'pattern'], problem);
  }
  notes.unique(detectors.map(({ name }, index) => ({ name, path: ['detectors', index, 'name'] })));
  return detectors;
}

function buildPem(text: string, path: Path, directory: string, notes: Notes): SecretReference {
  const reference = parseReference(text, directory);
  if (!reference || reference.scheme === 'sealed') notes.error(path, 'must be file:PATH or env:NAME');
  return reference ?? { scheme: 'file', name: '' };
}

/** The machine's name where it fits, so that two nodes started from one file do not write as one. */
function nodeName(): string {
  const name = (hostname().split('.')[0] ?? '').toLowerCase();
  return /^[a-z][a-z0-9-]{0,31}$/.test(name) ? name : 'gw-1';
}
