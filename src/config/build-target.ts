import type { BudgetRule } from '../core/budget.ts';
import { isLabel } from '../core/label.ts';
import { isLoopback, parseAddress } from './address.ts';
import type { ColumnRule, DetectConfig, SecretReference, TargetConfig } from './config.ts';
import type { Notes } from './notes.ts';
import { columnProblem } from './pattern.ts';
import type { Path } from './problem.ts';
import { parseReference, REFERENCE_WORDS } from './reference.ts';
import type { RawColumn, RawTarget } from './schema/target.ts';
import { didYouMean } from './suggest.ts';

const POSTGRES_PORT = 5432;
const LABEL_WORDS = 'is not a label: lower-case words joined by dots, as in pii.email';

export interface TargetContext {
  readonly path: Path;
  readonly directory: string;
  /** Names of the detectors there are; undefined when that cannot be told. */
  readonly detectors: readonly string[] | undefined;
  readonly notes: Notes;
}

export function buildTarget(raw: RawTarget, context: TargetContext): TargetConfig {
  const { path, notes } = context;
  const address = buildAddress(raw, context);
  const local = 'path' in address || isLoopback(address.host);

  const databases = raw.databases ?? [raw.database];
  if (!databases.includes(raw.database))
    notes.error([...path, 'databases'], `must include "${raw.database}", the default one`);
  for (const [index, label] of (raw.labels ?? []).entries()) {
    if (!isLabel(label)) notes.error([...path, 'labels', index], LABEL_WORDS);
  }
  if (raw.mode === 'observe') {
    notes.warn([...path, 'mode'], 'is observe: policies are evaluated and recorded, but only guardrails are enforced');
  }
  if (raw.recording?.mode === 'best-effort') {
    notes.warn([...path, 'recording', 'mode'], 'is best-effort: what cannot be recorded runs all the same');
  }

  return {
    name: raw.name,
    address,
    tls: buildTls(raw, local, context),
    database: raw.database,
    databases,
    credential: { user: raw.credential.user, password: buildPassword(raw, context) },
    roles: raw.roles ?? [raw.credential.user],
    labels: raw.labels ?? [],
    mode: raw.mode ?? 'enforce',
    recording: { mode: raw.recording?.mode ?? 'required', rows: raw.recording?.rows ?? 1000 },
    connections: { most: raw.connections?.most ?? 50, queue: raw.connections?.queue ?? 100 },
    bypass: raw.bypass ?? 'all',
    columns: buildColumns(raw, context),
    detect: buildDetect(raw, context),
    budgets: buildBudgets(raw, context),
    rows: raw.rows,
  };
}

function buildAddress(raw: RawTarget, { path, notes }: TargetContext): TargetConfig['address'] {
  if (raw.address.startsWith('/')) return { path: raw.address };
  const address = parseAddress(raw.address, POSTGRES_PORT);
  if (!address || address.port === 0) {
    notes.error([...path, 'address'], 'must be host, host:port, [IPv6]:port, or the path of a unix socket');
  }
  return address ?? { host: '', port: 0 };
}

function buildTls(raw: RawTarget, local: boolean, { path, directory, notes }: TargetContext): TargetConfig['tls'] {
  const mode = raw.tls ?? (local ? 'disable' : 'verify-full');
  if (mode === 'disable' && !local) {
    notes.warn(
      [...path, 'tls'],
      'is disable for an address that is not on this machine: the credential and the data travel in the clear',
    );
  }
  if (mode === 'require') {
    notes.warn(
      [...path, 'tls'],
      'is require: the server’s certificate is not checked, so anybody on the way can read along',
    );
  }
  if (raw.ca === undefined) return { mode, ca: undefined };
  const ca = parseReference(raw.ca, directory);
  if (!ca || ca.scheme === 'sealed') notes.error([...path, 'ca'], 'must be file:PATH or env:NAME');
  if (mode === 'disable' || mode === 'require') notes.error([...path, 'ca'], `is not used while tls is ${mode}`);
  return { mode, ca };
}

/** The message never repeats what stands there: it may be the password. */
function buildPassword(raw: RawTarget, { path, directory, notes }: TargetContext): SecretReference | undefined {
  if (raw.credential.password === undefined) return undefined;
  const reference = parseReference(raw.credential.password, directory);
  if (!reference)
    notes.error([...path, 'credential', 'password'], `must be ${REFERENCE_WORDS}; never the password itself`);
  return reference;
}

function buildColumns(raw: RawTarget, { path, notes }: TargetContext): readonly ColumnRule[] {
  const rules = (raw.columns ?? []).map(withKeys);
  const seen = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    const at = [...path, 'columns', index];
    const problem = columnProblem(rule.column);
    if (problem !== undefined) notes.error([...at, 'column'], problem);
    if (!isLabel(rule.label)) notes.error([...at, 'label'], LABEL_WORDS);
    if (rule.mask === 'constant' && rule.constant === undefined)
      notes.error(at, 'must have "constant": the value to show');
    if (rule.mask !== 'constant' && rule.constant !== undefined) {
      notes.error([...at, 'constant'], `is not used while mask is ${rule.mask}`);
    }
    if (rule.path?.includes(''))
      notes.error([...at, 'path'], 'has an empty key; write a key with a dot in it as a list');
    const key = JSON.stringify([rule.column, rule.label, rule.path]);
    if (seen.has(key)) notes.error(at, 'gives the same label to the same columns as an earlier one');
    seen.add(key);
  }
  return rules;
}

function withKeys({ path, ...rule }: RawColumn): ColumnRule {
  if (path === undefined) return rule;
  return { ...rule, path: typeof path === 'string' ? path.split('.') : path };
}

function buildBudgets(raw: RawTarget, { path, notes }: TargetContext): readonly BudgetRule[] {
  const budgets = raw.budgets ?? [];
  const seen = new Set<string>();
  for (const [index, { label, lookups, rows }] of budgets.entries()) {
    const at = [...path, 'budgets', index];
    if (!isLabel(label)) notes.error([...at, 'label'], LABEL_WORDS);
    if (lookups === undefined && rows === undefined) notes.error(at, 'must have "lookups" or "rows": how many an hour');
    if (seen.has(label)) notes.error(at, 'is a second budget for the same label');
    seen.add(label);
  }
  return budgets;
}

function buildDetect(raw: RawTarget, { path, detectors, notes }: TargetContext): DetectConfig | undefined {
  if (!raw.detect) return undefined;
  for (const [index, name] of raw.detect.detectors.entries()) {
    if (!detectors || detectors.includes(name)) continue;
    const hint = didYouMean(name, detectors) || `; there are ${detectors.join(', ')}`;
    notes.error([...path, 'detect', 'detectors', index], `is no detector${hint}`);
  }
  const { detectors: names, people = 'observe', agents = 'mask' } = raw.detect;
  return { detectors: names, people, agents };
}
