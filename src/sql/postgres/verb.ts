import type { Action } from '../../core/action.ts';
import type { ResourceUse, Verb } from '../../core/facts.ts';

/** Most consequential first. */
const ORDER: readonly Action[] = [
  'admin',
  'opaque',
  'ddl',
  'truncate',
  'delete',
  'update',
  'insert',
  'copy-in',
  'execute',
  'copy-out',
  'lock',
  'introspect',
  'select',
];

/** What a statement is called: the most consequential of its uses; `select` when it uses nothing. */
export function verbOf(uses: readonly ResourceUse[]): Verb {
  const actions = new Set(uses.map((use) => use.action));
  // A SELECT that also looks at a catalog is still a SELECT.
  if (actions.has('select') && actions.size === 2 && actions.has('introspect')) return 'select';
  return ORDER.find((action) => actions.has(action)) ?? 'select';
}
