import type { Ledger } from './ledger.ts';
import { unresolved } from './names.ts';
import { type Tree, textAt } from './tree.ts';

/** Something new in a schema: `ddl` on the schema it will be in. */
export function createIn(schema: string | undefined, ledger: Ledger): void {
  const { names } = ledger;
  ledger.use('ddl', schema === undefined ? names.database : names.schema(schema));
  ledger.ddl = true;
}

/** A new table, view or sequence. What is temporary concerns this connection only, but later names may mean it. */
export function createTable(range: Tree | undefined, ledger: Ledger): 'shared' | 'temporary' {
  if (!range) throw unresolved('relation', '');
  const { names } = ledger;
  const database = textAt(range, 'catalogname');
  if (database !== '' && database !== names.scope.database) throw unresolved('database', database);
  const schema = textAt(range, 'schemaname');
  if (textAt(range, 'relpersistence') === 't' || schema.startsWith('pg_temp')) {
    ledger.use('ddl', names.schema('pg_temp'));
    ledger.barrier = true;
    return 'temporary';
  }
  createIn(schema === '' ? names.creationSchema() : schema, ledger);
  return 'shared';
}
