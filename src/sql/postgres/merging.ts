import { isBounded } from './bounded.ts';
import { walkCondition } from './conditions.ts';
import { checked, moved } from './constraints.ts';
import { type Place, walk } from './expressions.ts';
import { readFrom } from './from.ts';
import type { Around } from './query.ts';
import type { Shape } from './sources.ts';
import { bodyOf, listAt, type Tree, textAt, unreadable, type Value } from './tree.ts';
import { assign, insertedColumns, openTarget, returning, showTarget, type Target } from './writing.ts';

/** MERGE: an insert, update or delete per WHEN clause, over the rows its condition matches. */
export function readMerge(body: Tree, around: Around): Shape {
  const target = openTarget(body, around);
  const { place } = target;
  showTarget(body, target);
  // Whether a row of the target is there shows in what happens to the source's.
  place.ledger.reads(target.relation);
  readFrom([body['sourceRelation'] ?? null], place);
  walkCondition(body['joinCondition'], { ...place, use: 'filter' });
  const bounded = isBounded(body['joinCondition'], target);
  for (const clause of listAt(body, 'mergeWhenClauses')) when(clause, bounded, target);
  return returning(body, target);
}

function when(value: Value, bounded: boolean, target: Target): void {
  const clause = bodyOf(value, 'MergeWhenClause');
  if (!clause) throw unreadable('a WHEN clause of unknown shape');
  const { relation, place } = target;
  const deciding: Place = { ...place, use: 'filter' };
  walk(clause['condition'], deciding);
  switch (textAt(clause, 'commandType')) {
    case 'CMD_NOTHING':
      return;
    case 'CMD_INSERT': {
      place.ledger.on('insert', relation);
      const values = listAt(clause, 'values');
      walk(values, place);
      const outputs = values.map((_, index) => ({ name: `column${index + 1}`, sources: new Set<never>() }));
      for (const column of insertedColumns(listAt(clause, 'targetList'), { outputs, open: undefined }, target)) {
        place.ledger.column(column, 'assign');
      }
      checked(relation, relation.columns, 'insert', place.ledger);
      return;
    }
    case 'CMD_UPDATE':
      place.ledger.on('update', relation);
      assign(listAt(clause, 'targetList'), target);
      break;
    case 'CMD_DELETE':
      place.ledger.on('delete', relation);
      moved(relation, 'all', place.ledger);
      break;
    default:
      throw unreadable('a WHEN clause that does something unknown');
  }
  if (!bounded) place.ledger.bounded = false;
}
