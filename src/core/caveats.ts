import type { Action } from './action.ts';
import { encodePart } from './resource.ts';

/**
 * What a grant takes away. Absent fields take nothing; what is present must hold, on every grant of the path.
 * Issue-time checks give early errors, but safety never depends on them: the AND at use time is what counts.
 */
export interface Caveats {
  /** At least one scope must cover each thing an operation does. An empty list covers nothing. */
  readonly scopes?: readonly Scope[];
  /** CIDR blocks the client must come from. */
  readonly sources?: readonly string[];
  /** Most rows one statement may return. */
  readonly rows?: number;
  /** Most rows it may return in all, shared with every grant below. */
  readonly totalRows?: number;
}

/** One way of being allowed. All its fields must match. */
export interface Scope {
  /** Target name, exact. */
  readonly target: string;
  readonly databases?: readonly string[];
  /** Upstream roles. */
  readonly roles?: readonly string[];
  /** Actions, or the groups `read` and `write`. Absent: all actions that policy permits. */
  readonly actions?: readonly ScopeAction[];
  /** `schema.table` (as `tableKey` spells it) to its columns, unencoded, or `*` for all of them. */
  readonly tables?: Readonly<Record<string, '*' | readonly string[]>>;
  /** Binds the scope to one statement. */
  readonly statement?: StatementBinding;
}

export type ScopeAction = Action | 'read' | 'write';

/** `exact` compares the text byte for byte and the parameters too; `fingerprint` ignores literals and is for reads only. */
export type StatementBinding =
  | { readonly kind: 'exact'; readonly text: string; readonly parameters?: readonly (string | null)[] }
  | { readonly kind: 'fingerprint'; readonly fingerprint: string };

export const ACTION_GROUPS: Readonly<Record<'read' | 'write', readonly Action[]>> = {
  read: ['select', 'introspect', 'copy-out', 'lock'],
  write: ['insert', 'update', 'delete', 'truncate', 'copy-in'],
};

/** Names a table in a scope: `schema.table`, each part percent-encoded as in resource ids, and its dots too. */
export function tableKey(schema: string, table: string): string {
  return [schema, table].map((part) => encodePart(part).replaceAll('.', '%2E')).join('.');
}
