import { setImmediate as others } from 'node:timers/promises';
import { Fault } from '../../core/fault.ts';
import type { CatalogConnection } from '../ports.ts';
import type { Row } from '../rows.ts';
import type { Table, TableColumn } from './tables.ts';

/** Milliseconds one statement, and a wait for a lock, may take. */
const STATEMENT_TIMEOUT = 5_000;
const LOCK_TIMEOUT = 200;
/** Bytes as stored, and characters read, of one value. A json text is read whole or not at all. */
const MOST_STORED = 65_536;
const MOST_JSON = 8_192;
const MOST_CHARACTERS = 2_000;
const ROWS_AT_ONCE = 50;
/** Characters of one table; and after how many of them everything else has its turn. */
const MOST_TEXT = 16_000_000;
const TURN = 65_536;

/** Told of every value that is not NULL. */
export type Look = (column: TableColumn, value: string) => void;

/**
 * Reads some rows of a table, read-only and without waiting for anybody: of a large one a few pages here and there, of
 * a small one the first rows. Throws Fault CATALOG_UNREADABLE when that cannot be had in time.
 */
export async function sample(connection: CatalogConnection, table: Table, most: number, look: Look): Promise<void> {
  const columns = table.columns.filter(({ read }) => read !== undefined);
  if (columns.length === 0 || most === 0) return;
  const { rows, relation } = table;
  // Twice what is wanted: pages are not equally full, and the estimate is an estimate.
  const percent = rows === undefined || rows < 4 * most ? 100 : (100 * 2 * most) / rows;
  const spread = percent < 100 ? ` tablesample system (${percent.toFixed(8)})` : '';
  const from = `${quoted(relation.schema)}.${quoted(relation.name)} as t`;
  const seen = await read(connection, { columns, from: from + spread, most, look });
  if (seen === 0 && spread !== '') await read(connection, { columns, from, most, look });
}

interface Reading {
  readonly columns: readonly TableColumn[];
  readonly from: string;
  readonly most: number;
  readonly look: Look;
}

async function read(connection: CatalogConnection, { columns, from, most, look }: Reading): Promise<number> {
  await connection.query('begin transaction read only');
  try {
    await connection.query(`set local statement_timeout = ${STATEMENT_TIMEOUT}`);
    await connection.query(`set local lock_timeout = ${LOCK_TIMEOUT}`);
    const list = columns.map((column, i) => `${expression(column)} as c${i}`).join(', ');
    await connection.query(`declare sallyport_sample no scroll cursor for select ${list} from ${from} limit ${most}`);
    const turns = new Turns();
    for (let seen = 0; ; ) {
      const rows = await connection.query(`fetch ${ROWS_AT_ONCE} from sallyport_sample`);
      for (const row of rows) await turns.take(show(row, columns, look));
      seen += rows.length;
      if (rows.length < ROWS_AT_ONCE || turns.taken > MOST_TEXT) return seen;
    }
  } finally {
    await connection.query('rollback');
  }
}

function show(row: Row, columns: readonly TableColumn[], look: Look): number {
  let characters = 0;
  for (const [i, column] of columns.entries()) {
    const value = row[`c${i}`];
    if (value === null || value === undefined || value === '') continue;
    if (typeof value !== 'string')
      throw new Fault('CATALOG_UNREADABLE', 'the server answered with something that is no text');
    characters += value.length;
    look(column, value);
  }
  return characters;
}

/** Looking through text takes the thread that sessions run on, so it is left to them now and then. */
class Turns {
  taken: number = 0;
  #since = 0;

  async take(characters: number): Promise<void> {
    this.taken += characters;
    this.#since += characters;
    if (this.#since < TURN) return;
    this.#since = 0;
    await others();
  }
}

/** What is stored out of line is not fetched when it is too long. */
function expression({ column, read: how }: TableColumn): string {
  const value = `t.${quoted(column.name)}`;
  const most = how === 'json' ? MOST_JSON : MOST_STORED;
  const shown =
    how === 'json' ? `${value}::pg_catalog.text` : `pg_catalog."left"(${value}::pg_catalog.text, ${MOST_CHARACTERS})`;
  return `case when pg_catalog.pg_column_size(${value}) <= ${most} then ${shown} end`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
