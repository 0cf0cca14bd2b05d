import type { CatalogConnection } from './ports.ts';

/** Milliseconds that planning may take, and wait for a lock. */
const PLAN_WITHIN = 2_000;
const LOCK_WITHIN = 500;

/**
 * How many rows the target's planner thinks a statement reads or changes; undefined where it does not say. The
 * statement is planned, in a transaction that may not write, and never run. The caller has seen to it that it is one
 * statement and that planning it calls no function of somebody's own.
 */
export async function estimateRows(
  connection: CatalogConnection,
  text: string,
  { role, searchPath }: { readonly role: string | undefined; readonly searchPath: readonly string[] },
): Promise<number | undefined> {
  await connection.query('begin read only');
  try {
    await connection.query(`set local statement_timeout = ${PLAN_WITHIN}; set local lock_timeout = ${LOCK_WITHIN}`);
    await connection.query(`set local search_path = ${searchPath.map(quoted).join(', ')}`);
    if (role !== undefined) await connection.query(`set local role ${quoted(role)}`);
    const [row] = await connection.query(`explain (format json) ${text}`);
    return rowsOf(row?.['QUERY PLAN']);
  } finally {
    await connection.query('rollback');
  }
}

/** A write stands above what picks its rows. */
function rowsOf(plan: unknown): number | undefined {
  const top = field(first(plan), 'Plan');
  const node = field(top, 'Node Type') === 'ModifyTable' ? first(field(top, 'Plans')) : top;
  const rows = field(node, 'Plan Rows');
  return typeof rows === 'number' ? rows : undefined;
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
