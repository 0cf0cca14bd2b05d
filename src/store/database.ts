import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { asFault, Fault } from '../core/fault.ts';
import type { Tables } from './schema.ts';

/** The one wrapper of `pg` and `kysely`; their types go no further than this room. */
export type Db = Kysely<Tables>;

export interface DatabaseAddress {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database?: string;
}

/** A hung server must become a Fault before a gateway's patience (2 s stale, then the grace) is used up. */
const CONNECT_WITHIN = 2_000;
const STATEMENT_WITHIN = 5_000;
const INT8 = 20;

const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary' ? safeInteger : pg.types.getTypeParser(oid, format),
};

function clientConfig(address: DatabaseAddress): pg.ClientConfig {
  const { url, ...parts } = address;
  return {
    ...(url === undefined ? parts : { connectionString: url }),
    application_name: 'sallyport',
    options: '-c search_path=sallyport -c timezone=UTC',
    connectionTimeoutMillis: CONNECT_WITHIN,
    statement_timeout: STATEMENT_WITHIN,
    query_timeout: STATEMENT_WITHIN + 1_000,
    lock_timeout: STATEMENT_WITHIN - 1_000,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    types,
  };
}

/** A pool of at most `most` connections. Nothing is dialled before the first query. */
export function openDatabase(address: DatabaseAddress, most: number): Db {
  const pool = new pg.Pool({ ...clientConfig(address), max: most, idleTimeoutMillis: 60_000 });
  // A connection that broke is replaced at the next use, and a use that it breaks reports it. Without a listener on the
  // client itself, one that breaks between two queries of a transaction would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** One connection outside the pool, for LISTEN. `lost` is called when it breaks, perhaps more than once. */
export async function openListener(
  address: DatabaseAddress,
  on: { notified: (payload: string) => void; lost: () => void },
): Promise<Listener> {
  const client = new pg.Client({ ...clientConfig(address), statement_timeout: 2_000, query_timeout: 2_000 });
  client.on('error', on.lost);
  client.on('end', on.lost);
  client.on('notification', (message) => on.notified(message.payload ?? ''));
  try {
    await client.connect();
  } catch (error) {
    void client.end().catch(() => undefined);
    throw asStoreFault(error);
  }
  return {
    query: (text, values) => guard(async () => (await client.query(text, [...values])).rows),
    close: () => client.end().catch(() => undefined),
  };
}

export interface Listener {
  query(text: string, values: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Runs one use of the store; what goes wrong in it becomes a Fault. */
export async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStoreFault(error);
  }
}

/**
 * SQLSTATE classes that say something about the statement, not about the store: data, constraints, syntax and access,
 * raised exceptions. Everything else (no connection, shutting down, out of resources, too slow, no code at all) is
 * STORE_UNAVAILABLE.
 */
const OF_THE_STATEMENT = /^(?:0A|21|22|23|26|2F|34|3F|42|44|P0|XX)/;

export function asStoreFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const code = sqlState(error);
  if (code !== undefined && OF_THE_STATEMENT.test(code)) return asFault(error, 'INTERNAL');
  const said = error instanceof Error ? error.message : String(error);
  return new Fault('STORE_UNAVAILABLE', `the store cannot be used: ${said}`, { cause: error });
}

export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** Milliseconds since the epoch by the clock that all gateways of a store share. */
export async function storeClock(db: Db): Promise<number> {
  const result = await sql<{ now: number }>`select now_ms() as now`.execute(db);
  const now = result.rows[0]?.now;
  if (now === undefined) throw new Fault('STORE_UNAVAILABLE', 'the store does not tell the time');
  return now;
}

/** No list is longer than this, whatever was asked for. */
export function atMost(limit: number): number {
  return Math.max(0, Math.min(Math.trunc(limit), 1000));
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Fault('INTERNAL', 'a number in the store is out of range');
  return value;
}
