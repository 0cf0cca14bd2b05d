import type { Action } from '../core/action.ts';
import type { Caveats, Scope, ScopeAction, StatementBinding } from '../core/caveats.ts';
import { ACTION_GROUPS } from '../core/caveats.ts';
import { parseBlock, within } from '../core/network.ts';

/**
 * Early answer to "does this child reach further than its parent?", so that whoever asks learns it at issue and not at
 * the first statement. Safety does not rest on it: at each use the caveats of every grant on the path are ANDed. A
 * field the parent limits must be limited in the child too; nothing is narrowed silently.
 */
export function widenings(child: Caveats, path: readonly Caveats[]): string[] {
  return [...scopeWidenings(child, path), ...sourceWidenings(child, path), ...rowWidenings(child, path)];
}

function scopeWidenings(child: Caveats, path: readonly Caveats[]): string[] {
  const parent = path.findLast((caveats) => caveats.scopes !== undefined)?.scopes;
  // A child without scopes of its own adds no limit; the ancestor's still holds.
  if (!parent || !child.scopes) return [];
  return child.scopes.flatMap((scope, index) => {
    const at = `authorization_details[${index}]`;
    const sameTarget = parent.filter((candidate) => candidate.target === scope.target);
    if (sameTarget.length === 0) return [`${at}.target: ${scope.target} is not in the parent's pass`];
    const attempts = sameTarget.map((candidate) => beyond(scope, candidate).map((what) => `${at}.${what}`));
    // One scope of the parent must cover it whole. The one that nearly does makes the best explanation.
    return attempts.reduce((best, attempt) => (attempt.length < best.length ? attempt : best));
  });
}

/** What `child` names that `parent` does not cover. */
function beyond(child: Scope, parent: Scope): string[] {
  return [
    ...listBeyond('databases', child.databases, parent.databases),
    ...listBeyond('roles', child.roles, parent.roles),
    ...actionsBeyond(child.actions, parent.actions),
    ...tablesBeyond(child.tables, parent.tables),
    ...statementBeyond(child, parent),
  ];
}

function listBeyond(
  field: string,
  child: readonly string[] | undefined,
  parent: readonly string[] | undefined,
): string[] {
  if (!parent) return [];
  if (!child) return [`${field}: not limited, and the parent's pass has only ${parent.join(', ')}`];
  return child.filter((name) => !parent.includes(name)).map((name) => `${field}: ${name} is not in the parent's pass`);
}

function actionsBeyond(
  child: readonly ScopeAction[] | undefined,
  parent: readonly ScopeAction[] | undefined,
): string[] {
  if (!parent) return [];
  if (!child) return [`actions: not limited, and the parent's pass has only ${parent.join(', ')}`];
  const allowed = new Set(parent.flatMap(actionsOf));
  return child
    .filter((name) => !actionsOf(name).every((action) => allowed.has(action)))
    .map((name) => `actions: ${name} is not in the parent's pass`);
}

/** The actions a name in a scope stands for. */
export function actionsOf(name: ScopeAction): readonly Action[] {
  return name === 'read' || name === 'write' ? ACTION_GROUPS[name] : [name];
}

function tablesBeyond(child: Scope['tables'], parent: Scope['tables']): string[] {
  if (!parent) return [];
  if (!child) return [`tables: not limited, and the parent's pass has only ${Object.keys(parent).join(', ')}`];
  return Object.entries(child).flatMap(([table, columns]) => {
    const allowed = Object.hasOwn(parent, table) ? parent[table] : undefined;
    if (allowed === undefined) return [`tables: ${table} is not in the parent's pass`];
    if (allowed === '*') return [];
    if (columns === '*')
      return [`tables: all columns of ${table}, and the parent's pass has only ${allowed.join(', ')}`];
    return columns
      .filter((column) => !allowed.includes(column))
      .map((column) => `tables: column ${column} of ${table} is not in the parent's pass`);
  });
}

function statementBeyond(child: Scope, parent: Scope): string[] {
  const bound = parent.statement;
  if (!bound || (child.statement && isSame(child.statement, bound))) return [];
  return ["statement: the parent's pass is bound to one statement, and this is not the same"];
}

/** A text without parameters is bound to being sent without any. */
function isSame(one: StatementBinding, other: StatementBinding): boolean {
  if (one.kind === 'fingerprint' || other.kind === 'fingerprint') {
    return one.kind === 'fingerprint' && other.kind === 'fingerprint' && one.fingerprint === other.fingerprint;
  }
  const [left, right] = [one.parameters ?? [], other.parameters ?? []];
  return one.text === other.text && left.length === right.length && left.every((value, i) => value === right[i]);
}

function sourceWidenings(child: Caveats, path: readonly Caveats[]): string[] {
  const parent = path.findLast((caveats) => caveats.sources !== undefined)?.sources;
  if (!parent || !child.sources) return [];
  const outer = parent.flatMap((block) => parseBlock(block) ?? []);
  return child.sources
    .filter((block) => {
      const inner = parseBlock(block);
      return !inner || !outer.some((cidr) => within(inner, cidr));
    })
    .map((block) => `sources: ${block} is not within the parent's ${parent.join(', ')}`);
}

function rowWidenings(child: Caveats, path: readonly Caveats[]): string[] {
  const each = path.flatMap((caveats) => caveats.rows ?? []);
  const total = path.flatMap((caveats) => caveats.totalRows ?? []);
  return [...wider('rows', child.rows, each), ...wider('total_rows', child.totalRows, total)];
}

function wider(name: string, wanted: number | undefined, above: readonly number[]): string[] {
  const most = Math.min(...above);
  return wanted === undefined || wanted <= most ? [] : [`${name}: ${wanted} is more than the parent's ${most}`];
}
