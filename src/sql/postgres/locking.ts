import { collect } from './collect.ts';
import type { Place } from './expressions.ts';
import { bodyOf, listAt, type Tree, textAt, type Value } from './tree.ts';

/** FOR UPDATE and its kin lock rows of everything in FROM, subqueries included, unless they say OF what. */
export function lockRows(clauses: readonly Value[], from: Value | undefined, { ledger, scope }: Place): void {
  let all: readonly Tree[] | undefined;
  for (const clause of clauses) {
    const locking = bodyOf(clause, 'LockingClause');
    const named = (locking ? listAt(locking, 'lockedRels') : []).map((value) => {
      const range = bodyOf(value, 'RangeVar');
      return range && scope.item(textAt(range, 'relname'))?.relation;
    });
    // A name that is no relation is a subquery, whose relations are locked.
    if (named.length > 0 && named.every((relation) => relation !== undefined)) {
      for (const relation of named) ledger.on('lock', relation);
      continue;
    }
    all ??= collect(from, 'RangeVar');
    for (const range of all) {
      const relation = ledger.names.findRelation(range);
      if (relation) ledger.on('lock', relation);
    }
  }
}
