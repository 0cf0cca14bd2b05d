import type { SqlScope, StatementFacts } from '../../core/facts.ts';

/** What a probe finds out. */
export type Found = Pick<SqlScope, 'searchPath' | 'role' | 'temporary' | 'uncommitted'>;

/**
 * What names mean on this connection, and whether that is still known. Statements that may change it (SET search_path,
 * SET ROLE, temporary tables, DDL, opaque ones) make it stale at once, and so does the end of a transaction that held
 * one, since it may have been rolled back. A stale scope is probed on the same connection before anything is read.
 */
export class NameScope {
  #scope: SqlScope;
  #stale = true;
  #touched = false;

  constructor(scope: SqlScope) {
    this.#scope = scope;
  }

  get scope(): SqlScope {
    return this.#scope;
  }

  get stale(): boolean {
    return this.#stale;
  }

  /** A statement was forwarded. */
  forwarded(statement: StatementFacts): void {
    if (statement.transaction !== undefined) {
      if (statement.barrier && this.#touched) this.#stale = true;
    } else if (statement.barrier) {
      this.#touched = true;
      this.#stale = true;
    }
  }

  /** The server is idle outside a transaction: whatever was touched in one is settled, one way or the other. */
  transactionEnded(): void {
    if (!this.#touched) return;
    this.#touched = false;
    this.#stale = true;
  }

  probed(found: Found): void {
    this.#stale = false;
    if (JSON.stringify(found) === JSON.stringify(pick(this.#scope))) return; // the same object keeps caches warm
    this.#scope = { ...this.#scope, ...found };
  }
}

function pick({ searchPath, role, temporary, uncommitted }: SqlScope): Found {
  return { searchPath, role, temporary, uncommitted };
}
