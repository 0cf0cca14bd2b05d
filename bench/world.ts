import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, type ThrowawayPostgres } from '../src/devtools/postgres.ts';
import { ownCertificate } from '../src/secrets/certificate.ts';
import { DATABASE, PASSWORD, stock, USER } from './stock.ts';
import { FULL, type Gateway, LABELS, startGateway } from './targets/gateway.ts';
import { type Pgbouncer, startPgbouncer } from './targets/pgbouncer.ts';
import type { Target } from './targets/target.ts';

/** One PostgreSQL server and every way to it that is compared. */
export interface World {
  readonly targets: readonly Target[];
  /** The server's own version. */
  readonly version: string;
  /** Of the server's first process: its backends are below it. */
  readonly serverPid: number;
  readonly directory: string;
  close(): Promise<void>;
}

const SETTINGS = ['shared_buffers=512MB', 'max_connections=400', 'autovacuum=off'];

/** Everything is closed again when something does not start. `flags` are for the gateway's Node. */
export async function startWorld(rows: number, flags: readonly string[] = []): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const opened: (() => Promise<unknown>)[] = [
    async () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const close = async () => {
    for (const end of opened.splice(0).toReversed()) await end();
  };
  try {
    const certificate = await ownCertificate(join(directory, 'tls'), [], Date.now());
    const server = await startPostgres({ tls: certificate, settings: SETTINGS });
    opened.push(() => server.stop());
    await stock(server, rows);
    const pgbouncer = await startPgbouncer(directory, server, certificate);
    if (pgbouncer) opened.push(() => pgbouncer.process.stop());
    const gateway = await startGateway(directory, server, flags);
    opened.push(
      () => gateway.process.stop(),
      () => gateway.idp.close(),
    );
    return {
      targets: [false, true].flatMap((tls) => targetsOf(tls, server, pgbouncer, gateway)),
      version: await settingOf(server, 'server_version'),
      serverPid: await firstProcess(server),
      directory,
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function targetsOf(
  tls: boolean,
  server: ThrowawayPostgres,
  pgbouncer: Pgbouncer | undefined,
  gateway: Gateway,
): Target[] {
  const suffix = tls ? ' tls' : '';
  const own = { tls, host: server.host, user: USER, password: PASSWORD, database: DATABASE };
  const nothing = { labels: false, finds: false };
  const job = { tls, host: server.host, port: gateway.port, user: gateway.user, password: gateway.password };
  const { pid } = gateway.process;
  return [
    { ...own, kind: 'direct', name: `direct${suffix}`, port: server.port, hides: nothing, pid: undefined },
    ...(pgbouncer === undefined
      ? []
      : [
          {
            ...own,
            kind: 'pgbouncer' as const,
            name: `pgbouncer${suffix}`,
            port: pgbouncer.port,
            hides: nothing,
            pid: pgbouncer.process.pid,
          },
        ]),
    {
      ...job,
      kind: 'sallyport',
      name: `sallyport${suffix}`,
      database: FULL,
      hides: { labels: true, finds: true },
      pid,
    },
    {
      ...job,
      kind: 'sallyport-labels',
      name: `sallyport, no detectors${suffix}`,
      database: LABELS,
      hides: { labels: true, finds: false },
      pid,
    },
  ];
}

async function settingOf(server: ThrowawayPostgres, name: string): Promise<string> {
  const [row] = await server.query(`select current_setting('${name}') as value`);
  return String(row?.['value']);
}

async function firstProcess(server: ThrowawayPostgres): Promise<number> {
  const [row] = await server.query(`select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`);
  return Number(row?.['pid']);
}
