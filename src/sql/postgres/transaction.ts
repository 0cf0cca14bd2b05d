import type { StatementFacts } from '../../core/facts.ts';
import type { Ledger } from './ledger.ts';
import { type Tree, textAt } from './tree.ts';

const KINDS: Readonly<Record<string, NonNullable<StatementFacts['transaction']>>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'other',
  TRANS_STMT_ROLLBACK_TO: 'other',
};

/** A two-phase transaction outlives its session and holds its locks: `admin`. */
export function readTransaction(body: Tree, ledger: Ledger): StatementFacts {
  const kind = textAt(body, 'kind');
  const transaction = KINDS[kind];
  if (transaction === undefined) {
    ledger.use('admin', ledger.names.database);
    return ledger.facts({ verb: 'admin', transaction: 'other', barrier: true });
  }
  // Undoing may undo SET, DDL and temporary tables; ending may undo SET LOCAL and ON COMMIT DROP.
  const barrier = transaction === 'rollback' || transaction === 'commit' || kind === 'TRANS_STMT_ROLLBACK_TO';
  return ledger.facts({ verb: 'transaction', transaction, barrier, free: true });
}
