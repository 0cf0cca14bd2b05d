import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { serverAccount } from '../store/account.ts';
import { findBinaries } from '../store/binaries.ts';
import { temporaryFolder } from './temporary.ts';

/**
 * Real PostgreSQL servers to throw away, for the demo and for tests: on a loopback port, with a password, gone with
 * everything in them when stopped.
 */
export interface PostgresOptions {
  /** How passwords are asked for. */
  readonly auth?: 'scram-sha-256' | 'md5' | 'password' | 'trust';
  /** PEM; with them the server offers TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly settings?: readonly string[];
  /** Folder of `initdb` and `postgres` of another installation. */
  readonly programs?: string;
}

export interface ThrowawayPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Runs statements as superuser and returns the rows of the last one. */
  readonly query: (text: string, database?: string) => Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const USER = 'postgres';
const READY_WITHIN = 30_000;

export async function startPostgres(options: PostgresOptions = {}): Promise<ThrowawayPostgres> {
  const { auth = 'scram-sha-256', tls, settings = [], programs } = options;
  const account = await serverAccount();
  const found = findBinaries(account);
  const initdb = programs === undefined ? found.initdb : join(programs, 'initdb');
  const postgres = programs === undefined ? found.postgres : join(programs, 'postgres');
  const home = mkdtempSync(join(await temporaryFolder(), 'sallyport-pg-'));
  const data = join(home, 'data');
  mkdirSync(data, { mode: 0o700 });
  const password = 'throwaway';
  const secret = join(home, 'password');
  writeFileSync(secret, password);
  chmodSync(home, 0o711);
  const own = (path: string) => {
    if (process.getuid?.() === 0) chownSync(path, account.uid, account.gid);
  };
  for (const path of [home, data, secret]) own(path);
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' };
  const flags = [
    `--auth=${auth}`,
    `--username=${USER}`,
    `--pwfile=${secret}`,
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ];
  // MD5 authentication needs passwords stored that way.
  const encryption = auth === 'md5' ? ['-c', 'password_encryption=md5'] : [];
  await promisify(execFile)(initdb, [`--pgdata=${data}`, ...flags, ...(programs === undefined ? encryption : [])], {
    ...account.become,
    cwd: home,
    env,
  });

  const lines = [
    `listen_addresses=${HOST}`,
    `unix_socket_directories=`,
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'shared_buffers=64MB',
    'max_connections=200',
    'log_min_messages=fatal',
    ...settings,
  ];
  if (tls !== undefined) {
    for (const [name, text] of [
      ['server.crt', tls.certificate],
      ['server.key', tls.key],
    ] as const) {
      const path = join(data, name);
      writeFileSync(path, text, { mode: 0o600 });
      own(path);
    }
    lines.push('ssl=on');
  }
  const port = await freePort();
  const child = spawn(postgres, ['-D', data, '-p', String(port), ...lines.flatMap((line) => ['-c', line])], {
    ...account.become,
    cwd: dirname(data),
    env,
    stdio: 'ignore',
    detached: true,
  });
  const query = async (text: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client({ host: HOST, port, user: USER, password, database });
    await client.connect();
    try {
      const result: pg.QueryResult<Record<string, unknown>> | pg.QueryResult<Record<string, unknown>>[] =
        await client.query(text);
      return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
    } finally {
      await client.end();
    }
  };
  const stop = () => end(child, home);
  // A test that is interrupted must not leave a server behind.
  const orphan = () => child.kill('SIGQUIT');
  process.once('exit', orphan);
  for (let waited = 0; ; waited += 50) {
    try {
      await query('select 1');
      break;
    } catch (thrown) {
      if (waited > READY_WITHIN || child.exitCode !== null) {
        await stop();
        throw thrown;
      }
      await sleep(50);
    }
  }
  return {
    host: HOST,
    port,
    user: USER,
    password,
    query,
    stop: async () => {
      process.removeListener('exit', orphan);
      await stop();
    },
  };
}

async function end(child: ChildProcess, home: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await ended;
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
