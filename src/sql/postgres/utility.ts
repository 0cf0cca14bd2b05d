import type { SqlName, StatementFacts } from '../../core/facts.ts';
import { call } from './calls.ts';
import { elements } from './conditions.ts';
import { walk } from './expressions.ts';
import type { Ledger } from './ledger.ts';
import { readQuery } from './query.ts';
import { Scope } from './scope.ts';
import { NOTHING } from './sources.ts';
import { stored, told } from './statement.ts';
import { bodyOf, listAt, nodeOf, type Tree, textAt, treeAt, unreadable, type Value } from './tree.ts';

/** Statements that are neither queries nor DDL. Undefined when the tag is none of them. */
export function readUtility(tag: string, body: Tree, ledger: Ledger): StatementFacts | undefined {
  switch (tag) {
    case 'PrepareStmt':
      told(readQuery(body['query'], { ledger, scope: undefined }), ledger);
      return ledger.facts({ names: named('prepare', body, 'name') });
    case 'ExecuteStmt':
      execute(body, ledger);
      return ledger.facts({ names: named('execute', body, 'name'), given: given(body) });
    case 'DeallocateStmt':
      return ledger.facts({ verb: 'session', free: true, names: named('deallocate', body, 'name') });
    case 'DeclareCursorStmt':
      told(readQuery(body['query'], { ledger, scope: undefined }), ledger);
      return ledger.facts({ names: named('declare', body, 'portalname') });
    case 'FetchStmt':
      return ledger.facts({ names: named('fetch', body, 'portalname') });
    case 'ClosePortalStmt':
      return ledger.facts({ verb: 'session', free: true, names: named('close', body, 'portalname') });
    case 'ExplainStmt':
      return explain(body, ledger);
    case 'CallStmt': {
      const scope = new Scope(undefined);
      const routine = treeAt(body, 'funccall');
      if (!routine) throw unreadable('CALL without a procedure');
      call(routine, { ledger, scope, use: 'derive' });
      // A procedure may end transactions and set what it likes.
      return ledger.facts({ barrier: true });
    }
    case 'DoStmt':
      ledger.use('opaque', ledger.names.database);
      return ledger.facts();
    case 'TruncateStmt':
      truncate(body, ledger);
      return ledger.facts({ bounded: true });
    case 'LockStmt':
      for (const value of listAt(body, 'relations')) {
        ledger.on('lock', ledger.names.relation(bodyOf(value, 'RangeVar') ?? {}));
      }
      return ledger.facts();
    case 'DiscardStmt':
      return discard(body, ledger);
    case 'ConstraintsSetStmt':
    case 'UnlistenStmt':
      return ledger.facts({ verb: 'session', free: true });
    case 'ListenStmt':
    case 'NotifyStmt':
      // Carries texts between sessions past every label.
      ledger.use('opaque', ledger.names.database);
      return ledger.facts({ barrier: false });
    default:
      return undefined;
  }
}

function named(kind: SqlName['kind'], body: Tree, field: string): SqlName {
  const name = textAt(body, field);
  return { kind, name: name === '' ? undefined : name };
}

/** Parameters of EXECUTE itself are not known where it is read. */
function given(body: Tree): (number | undefined)[] {
  return listAt(body, 'params').map((value) => {
    const lookups = elements(value);
    return lookups && lookups.arrays.length === 0 ? lookups.constants : undefined;
  });
}

function execute(body: Tree, ledger: Ledger): void {
  walk(listAt(body, 'params'), { ledger, scope: new Scope(undefined), use: 'derive' });
}

/** The inner statement counts as if it ran, though its result is not shown: a plan shows what its conditions say. */
function explain(body: Tree, ledger: Ledger): StatementFacts {
  const { tag, body: inner } = nodeOf(body['query']);
  ledger.explaining = true;
  switch (tag) {
    case 'SelectStmt':
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt': {
      const shape = readQuery(body['query'], { ledger, scope: undefined });
      for (const { base, sources } of shape.outputs) if (!base) ledger.columns(sources, 'derive');
      ledger.columns(shape.open ?? NOTHING, 'derive');
      return ledger.facts({ explains: true });
    }
    case 'ExecuteStmt':
      execute(inner, ledger);
      return ledger.facts({ names: named('execute', inner, 'name'), given: given(inner), explains: true });
    case 'DeclareCursorStmt':
      told(readQuery(inner['query'], { ledger, scope: undefined }), ledger);
      return ledger.facts({ explains: true });
    default: {
      // CREATE TABLE AS and the like: not worth telling apart.
      const value: Value = inner['query'] ?? null;
      if (value !== null && bodyOf(value, 'SelectStmt')) stored(readQuery(value, { ledger, scope: undefined }), ledger);
      ledger.use('opaque', ledger.names.database);
      return ledger.facts({ explains: true });
    }
  }
}

function truncate(body: Tree, ledger: Ledger): void {
  for (const value of listAt(body, 'relations')) {
    ledger.on('truncate', ledger.names.relation(bodyOf(value, 'RangeVar') ?? {}));
  }
  // CASCADE empties whatever refers to these, which the statement does not say.
  if (textAt(body, 'behavior') === 'DROP_CASCADE') ledger.use('truncate', ledger.names.database);
}

function discard(body: Tree, ledger: Ledger): StatementFacts {
  const target = textAt(body, 'target');
  const all = target === 'DISCARD_ALL';
  if (all) ledger.setting({ name: 'search_path', value: undefined, class: 'tracked' });
  return ledger.facts({
    verb: 'session',
    free: true,
    barrier: all || target === 'DISCARD_TEMP',
    names: all ? { kind: 'deallocate', name: undefined } : undefined,
  });
}
