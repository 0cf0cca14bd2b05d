import { literal } from '../literal.ts';
import type { CatalogConnection } from '../ports.ts';
import type { Row } from '../rows.ts';

/** One session at the target, as far as the gateway's role may see it. */
export interface SeenSession {
  readonly process: number;
  readonly user: string;
  readonly application: string;
  /** Undefined where the role may not see it, and for unix sockets. */
  readonly address: string | undefined;
  /** Milliseconds since it began; undefined where the role may not see that. */
  readonly age: number | undefined;
}

export interface Look {
  readonly sessions: readonly SeenSession[];
  /** The role may see where sessions of other roles come from, and since when they are there. */
  readonly seesAll: boolean;
  /** There were more sessions than one look takes. */
  readonly more: boolean;
  /** What the connection was told at login is not its process: a pooler stands between, and no process can be known. */
  readonly pooled: boolean;
}

/** Sessions that one look takes. */
const MOST = 2000;

/** Which sessions are looked at. Absent: those of all. */
export interface Whose {
  readonly databases?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
}

/** One query on shared memory of the server: it reads no table and takes no lock. */
export async function lookAround(connection: CatalogConnection, whose: Whose): Promise<Look> {
  const rows = await connection.query(query(whose));
  const [self] = rows.filter((row) => row['self'] === true);
  const others = rows.filter((row) => row['self'] !== true);
  return {
    sessions: others.slice(0, MOST).map(seen),
    seesAll: self?.['all'] === true,
    more: others.length > MOST,
    pooled: connection.process !== undefined && self !== undefined && connection.process !== self['pid'],
  };
}

function seen(row: Row): SeenSession {
  const { pid, user, application, address, age } = row;
  return {
    process: Number(pid),
    user: String(user),
    application: typeof application === 'string' ? application : '',
    address: typeof address === 'string' ? address : undefined,
    age: typeof age === 'number' ? age : undefined,
  };
}

/** Without the right to see another's session, its `backend_type`, address and beginning are NULL. */
function query({ databases, roles }: Whose): string {
  return `
  select a.pid, a.usename as user, a.application_name as application, host(a.client_addr) as address,
    (extract(epoch from clock_timestamp() - a.backend_start) * 1000)::float8 as age,
    a.pid = pg_backend_pid() as self,
    pg_has_role(current_user, 'pg_read_all_stats', 'usage') as all
  from pg_catalog.pg_stat_activity a
  where a.pid = pg_backend_pid() or
    (a.usename is not null and coalesce(a.backend_type, 'client backend') = 'client backend'
      and ${among('a.datname', databases)} and ${among('a.usename', roles)})
  order by a.pid <> pg_backend_pid(), a.pid limit ${MOST + 2}`;
}

function among(column: string, names: readonly string[] | undefined): string {
  return names === undefined ? 'true' : `${column} in (${names.map(literal).join(', ')})`;
}
