import type { CopyFacts, StatementFacts } from '../../core/facts.ts';
import { constantText } from './calls.ts';
import { collect } from './collect.ts';
import { checked } from './constraints.ts';
import { walk } from './expressions.ts';
import { relationPart } from './from.ts';
import type { Ledger } from './ledger.ts';
import { unresolved } from './names.ts';
import { readQuery } from './query.ts';
import type { Column, Relation } from './relation.ts';
import { Scope } from './scope.ts';
import { stored } from './statement.ts';
import { bodyOf, flagAt, listAt, namesOf, type Tree, textAt, treeAt } from './tree.ts';

/** COPY between the client and a table or query. A file or program of the server is `admin`. */
export function readCopy(body: Tree, ledger: Ledger): StatementFacts {
  const incoming = flagAt(body, 'is_from');
  const server = flagAt(body, 'is_program') || textAt(body, 'filename') !== '';
  if (server) ledger.use('admin', ledger.names.database);
  const query = body['query'];
  if (query === undefined) copyRelation(body, incoming, ledger);
  else {
    stored(readQuery(query, { ledger, scope: undefined }), ledger);
    for (const range of collect(query, 'RangeVar')) {
      const relation = ledger.names.findRelation(range);
      if (relation) ledger.on('copy-out', relation);
    }
  }
  const copy: CopyFacts = { direction: incoming ? 'in' : 'out', format: formatOf(body) };
  return ledger.facts(server ? {} : { copy });
}

function copyRelation(body: Tree, incoming: boolean, ledger: Ledger): void {
  const range = treeAt(body, 'relation');
  if (!range) throw unresolved('relation', '');
  const relation = ledger.names.relation(range);
  const columns = columnsOf(body, relation);
  if (!incoming) {
    ledger.reads(relation);
    ledger.on('copy-out', relation);
    for (const column of columns) ledger.column(column, 'derive');
    ledger.sites.copied(range, relation, columns);
    return;
  }
  ledger.on('copy-in', relation);
  ledger.on('insert', relation);
  for (const column of columns) ledger.column(column, 'assign');
  checked(relation, columns, 'insert', ledger);
  const scope = new Scope(undefined);
  scope.add(relationPart(range, relation));
  walk(body['whereClause'], { ledger, scope, use: 'filter' });
}

function columnsOf(body: Tree, relation: Relation): readonly Column[] {
  const names = namesOf(listAt(body, 'attlist'));
  if (names.length === 0) return relation.columns.filter((column) => !column.generated);
  return names.map((name) => {
    const column = relation.byName.get(name);
    if (!column) throw unresolved('column', name);
    return column;
  });
}

function formatOf(body: Tree): CopyFacts['format'] {
  for (const value of listAt(body, 'options')) {
    const option = bodyOf(value, 'DefElem');
    if (!option || textAt(option, 'defname') !== 'format') continue;
    const string = bodyOf(option['arg'], 'String');
    const format = string ? textAt(string, 'sval') : constantText(option['arg']);
    if (format === 'csv' || format === 'binary') return format;
  }
  return 'text';
}
