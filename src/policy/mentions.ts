import type { Json } from '../core/evidence.ts';
import { encodePart, type Resource, resourceId } from '../core/resource.ts';
import type { PolicyTree, Uid } from './cedar.ts';

/** What a policy looks at. Whatever it does not mention cannot change its answer, so it need not split a cache. */
export interface Mentions {
  /** Paths into the context, at most two steps (`statement.bounded`, `now`); `*` stands for the whole of it. */
  readonly context: ReadonlySet<string>;
  /** Resource ids of tables with a column named in the policy. */
  readonly tables: ReadonlySet<string>;
  /** It can tell columns from tables in ways that no list of ids shows. */
  readonly anyColumn: boolean;
}

export function mentionsOf(tree: PolicyTree): Mentions {
  const found = { context: new Set<string>(), tables: new Set<string>(), anyColumn: false };
  const name = (entity: Uid): void => {
    if (entity.type === 'Column') found.tables.add(tableOf(entity.id));
  };

  const { resource } = tree;
  if (resource.op === '==') name(resource.entity);
  if (resource.op === 'in') resource.entities.forEach(name);
  if (resource.op === 'is' && resource.type === 'Column') found.anyColumn = true;

  const walk = (node: Json): void => {
    if (node === null || typeof node !== 'object') return;
    if (isList(node)) {
      for (const item of node) walk(item);
      return;
    }
    const path = contextPath(node);
    if (path !== undefined) {
      found.context.add(path.length === 0 ? '*' : path.slice(0, 2).join('.'));
      return;
    }
    if (node['Var'] === 'resource') found.anyColumn ||= true;
    const entity = entityOf(node);
    if (entity) name(entity);
    for (const [operator, operand] of Object.entries(node)) {
      // `resource in X` treats a column like its table, whatever X is, unless X is a column or a label: both seen below.
      if (operator === 'in' && isObject(operand) && isResource(operand['left'])) walk(operand['right'] ?? null);
      else walk(operand);
    }
  };
  for (const condition of tree.conditions) walk(condition);
  return found;
}

/** Whether the policies with these mentions can tell some column of the table from the table itself. */
export function namesColumns(mentions: readonly Mentions[], table: Resource): boolean {
  const id = resourceId(table);
  return mentions.some((mention) => mention.anyColumn || mention.tables.has(id));
}

/**
 * The path a node reads out of the context: `context.a.b`, `context has a`. Undefined for any other node; empty where
 * the context is used as a value of its own.
 */
function contextPath(node: { readonly [key: string]: Json }): string[] | undefined {
  if (node['Var'] === 'context') return [];
  const has = node['has'];
  const access = isObject(has) ? has : node['.'];
  if (!isObject(access) || !isObject(access['left'])) return undefined;
  const base = contextPath(access['left']);
  const attr = access['attr'];
  if (base === undefined) return undefined;
  if (typeof attr === 'string') return [...base, attr];
  return isList(attr) ? [...base, ...attr.map(String)] : base;
}

function tableOf(column: string): string {
  return column.slice(0, Math.max(0, column.lastIndexOf('/')));
}

function entityOf(node: { readonly [key: string]: Json }): Uid | undefined {
  const entity = node['__entity'];
  if (!isObject(entity)) return undefined;
  const { type, id } = { type: entity['type'], id: entity['id'] };
  return typeof type === 'string' && typeof id === 'string' ? { type, id } : undefined;
}

function isResource(node: Json | undefined): boolean {
  return isObject(node) && node['Var'] === 'resource';
}

function isObject(node: Json | undefined): node is { readonly [key: string]: Json } {
  return typeof node === 'object' && node !== null && !isList(node);
}

function isList(node: Json | undefined): node is readonly Json[] {
  return Array.isArray(node);
}

/** The target an id starts with, encoded as it stands in the id. */
export function targetOf(id: string): string {
  return id.split('/', 1)[0] ?? '';
}

export function encodedTarget(resource: Resource): string {
  return encodePart(resource.path[0] ?? '');
}
