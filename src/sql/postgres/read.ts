import type { SqlFacts, SqlScope, StatementFacts } from '../../core/facts.ts';
import type { CatalogIndex } from './catalog-index.ts';
import { bounded } from './effort.ts';
import { Names } from './names.ts';
import { canonical, normalise } from './normalise.ts';
import { parse } from './parser.ts';
import { Positions } from './positions.ts';
import { readStatement } from './statement.ts';

/**
 * From SQL text to facts: what a text would do, found with PostgreSQL's own parser and our own reading of its tree
 * against the catalog. The order is: limits, parser, names, uses. It refuses to guess: a statement it does not know is
 * `opaque`, an expression it does not know or a name it cannot resolve is a Fault, and when it is unsure how a column
 * is used it says both. It never executes anything, knows no policy, and keeps no state between texts.
 *
 * statement.ts tells the kinds of statement apart; query.ts reads what gives rows, with from.ts, joins.ts and
 * common-tables.ts for what stands in FROM; writing.ts and merging.ts what changes rows; ddl.ts and utility.ts the
 * rest. scope.ts resolves names; expressions.ts walks everything that has a value and calls.ts what is called in it.
 */
export interface Reading {
  readonly scope: SqlScope;
  readonly catalog: CatalogIndex;
  /** A collision-resistant digest of a text, short enough for people. */
  readonly digest: (text: string) => string;
}

/** Facts of a text. Throws Fault SQL_UNREADABLE, SQL_UNRESOLVED or PROTOCOL_LIMIT; anything else means: discard the parser. */
export function readSql(text: string, { scope, catalog, digest }: Reading): SqlFacts {
  const names = new Names(catalog, scope);
  const positions = new Positions(text);
  const parsed = parse(text);
  const statements = bounded(() => parsed.map((each): StatementFacts => readStatement(each, names, positions)));
  return { statements, fingerprint: digest(canonical(text)), normalised: normalise(text) };
}
