import type { Action } from '../core/action.ts';
import {
  ACTION_GROUPS,
  type Caveats,
  type Scope,
  type ScopeAction,
  type StatementBinding,
  tableKey,
} from '../core/caveats.ts';
import type { SqlFacts, StatementFacts } from '../core/facts.ts';
import type { Parameter } from '../core/operation.ts';
import type { Resource } from '../core/resource.ts';

/** Where a statement would run and what exactly was sent. */
export interface Asked {
  readonly target: string;
  readonly database: string;
  readonly role: string;
  readonly text: string;
  readonly parameters: readonly Parameter[] | undefined;
  readonly facts: SqlFacts;
}

/** One thing an operation does, as far as a grant's scopes can take it away. */
export interface Thing {
  readonly action: Action;
  readonly resource: Resource;
}

/** Some scope of the grant covers the thing. A grant without scopes takes nothing away. */
export function reaches(caveats: Caveats, asked: Asked, thing: Thing): boolean {
  if (caveats.scopes === undefined) return true;
  return caveats.scopes.some(
    (scope) => applies(scope, asked) && coversAction(scope, thing.action) && coversResource(scope, thing),
  );
}

/** Some scope of the grant is about this place and this statement at all: enough for a statement that uses nothing. */
export function admits(caveats: Caveats, asked: Asked): boolean {
  return caveats.scopes === undefined || caveats.scopes.some((scope) => applies(scope, asked));
}

/** The target, database and role of a scope, its statement apart. */
export function coversPlace(scope: Scope, place: { target: string; database: string; role: string }): boolean {
  return (
    scope.target === place.target &&
    (scope.databases === undefined || scope.databases.includes(place.database)) &&
    (scope.roles === undefined || scope.roles.includes(place.role))
  );
}

export function coversAction(scope: Scope, action: Action): boolean {
  return scope.actions === undefined || scope.actions.some((allowed) => includes(allowed, action));
}

function applies(scope: Scope, asked: Asked): boolean {
  return coversPlace(scope, asked) && (scope.statement === undefined || binds(scope.statement, asked));
}

function includes(allowed: ScopeAction, action: Action): boolean {
  return allowed === 'read' || allowed === 'write' ? ACTION_GROUPS[allowed].includes(action) : allowed === action;
}

/**
 * A list of tables reaches those tables and their listed columns and nothing else: no functions, schemas or settings.
 * Looking at the catalog is not data, so `introspect` is a matter of the scope's actions alone.
 */
function coversResource(scope: Scope, { action, resource }: Thing): boolean {
  if (scope.tables === undefined || action === 'introspect') return true;
  const [, , schema, table, column] = resource.path;
  if ((resource.kind !== 'Table' && resource.kind !== 'Column') || schema === undefined || table === undefined) {
    return false;
  }
  const key = tableKey(schema, table);
  const columns = Object.hasOwn(scope.tables, key) ? scope.tables[key] : undefined;
  if (columns === undefined) return false;
  return resource.kind === 'Table' || columns === '*' || (column !== undefined && columns.includes(column));
}

function binds(binding: StatementBinding, asked: Asked): boolean {
  if (binding.kind === 'fingerprint') {
    return binding.fingerprint === asked.facts.fingerprint && asked.facts.statements.every(onlyReads);
  }
  const bound = binding.parameters ?? [];
  const sent = asked.parameters ?? [];
  return (
    binding.text === asked.text && bound.length === sent.length && bound.every((value, index) => value === sent[index])
  );
}

function onlyReads(statement: StatementFacts): boolean {
  return (
    statement.uses.every((use) => ACTION_GROUPS.read.includes(use.action)) &&
    statement.columns.every((column) => column.use !== 'assign') &&
    statement.settings.every((setting) => setting.class !== 'admin') &&
    !statement.ddl
  );
}
