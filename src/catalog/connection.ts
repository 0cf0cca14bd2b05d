import { basename, dirname } from 'node:path';
import pg from 'pg';
import type { OwnBackends } from '../core/backends.ts';
import { Fault } from '../core/fault.ts';
import type { Credential, Target } from '../core/target.ts';
import type { CatalogConnection } from './ports.ts';

/** Milliseconds a look at the catalog may take. */
const STATEMENT_TIMEOUT = 15_000;
const CONNECT_TIMEOUT = 10_000;

export interface CatalogLogin extends Credential {
  /** Learns of the connection, so that it is known for one of ours. */
  readonly backends?: OwnBackends;
  /** What the connection is for, in `application_name`. */
  readonly purpose?: string;
  /** It may write. Absent: it cannot. */
  readonly writes?: true;
}

/** The one place in this room that knows `pg`. Read only, with an empty search path: every name below is qualified. */
export async function connectCatalog(
  target: Target,
  database: string,
  { user, password, backends, purpose = 'catalog', writes }: CatalogLogin,
): Promise<CatalogConnection> {
  const { tls } = target;
  const client = new pg.Client({
    ...addressOf(target),
    database,
    user,
    ...(password === undefined ? {} : { password }),
    application_name: `sallyport:${purpose}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: STATEMENT_TIMEOUT + 1_000,
    options: `-c search_path= -c statement_timeout=${STATEMENT_TIMEOUT}${writes ? '' : ' -c default_transaction_read_only=on'}`,
    ssl: tls.mode === 'disable' ? false : tlsOptions(tls),
  });
  client.on('error', () => {}); // the next query says what is wrong
  try {
    await client.connect();
  } catch (cause) {
    await client.end().catch(() => {});
    throw new Fault('CATALOG_UNREADABLE', `the catalog of ${target.name} cannot be reached`, { cause });
  }
  const process = processOf(client);
  const gone = process === undefined ? undefined : backends?.opened(user, process);
  if (gone !== undefined) client.once('end', gone);
  return {
    process,
    query: async (text) => {
      try {
        const { rows } = await client.query<Record<string, unknown>>(text);
        return rows;
      } catch (cause) {
        throw new Fault('CATALOG_UNREADABLE', `the catalog of ${target.name} cannot be read`, { cause });
      }
    },
    end: () => client.end().catch(() => {}),
  };
}

/** What the server, or a pooler before it, gave at login. The package's types do not have it. */
function processOf(client: object): number | undefined {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : undefined;
}

/** `pg` wants a socket's folder and the port in its name, and puts them together again. */
function addressOf({ name, address }: Target): { host: string; port: number } {
  if ('host' in address) return address;
  const port = /^\.s\.PGSQL\.(\d+)$/.exec(basename(address.path))?.[1];
  if (port === undefined) throw new Fault('CATALOG_UNREADABLE', `the socket of ${name} is not called .s.PGSQL.<port>`);
  return { host: dirname(address.path), port: Number(port) };
}

function tlsOptions(tls: Target['tls']): NonNullable<pg.ClientConfig['ssl']> {
  return {
    rejectUnauthorized: tls.mode !== 'require',
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}
