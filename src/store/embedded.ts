import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { lockDirectory } from '../audit/lock.ts';
import { Fault } from '../core/fault.ts';
import { type Account, serverAccount } from './account.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { type Place, prepare } from './place.ts';
import { answers, clearOrphan, PORT } from './postmaster.ts';

/** A PostgreSQL server of our own: a child process on a unix socket, for one gateway and its data directory. */
export interface EmbeddedServer {
  /** Directory of the socket, user and database, as `pg` takes them. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Process id of the server now; undefined while it is being started again. */
  readonly pid: number | undefined;
  /** Shuts the server down in order and gives up the directory. */
  stop(): Promise<void>;
}

const OWNER = 'sallyport';
const READY_WITHIN = 60_000;
const LOG_LIMIT = 16 * 1024 * 1024;

const SETTINGS = [
  'listen_addresses=',
  'unix_socket_permissions=0700',
  'fsync=on',
  'synchronous_commit=on',
  'full_page_writes=on',
  'max_connections=60',
  'shared_buffers=32MB',
  'huge_pages=off',
  'max_wal_size=256MB',
  'log_min_messages=warning',
  'timezone=UTC',
  'log_timezone=UTC',
];

/**
 * Starts the server of a data directory, making its cluster the first time. Throws Fault CONFLICT when another
 * gateway has the directory and STORE_UNAVAILABLE when the server does not come up. What a killed gateway left
 * running is stopped first. A server that dies is started again for as long as it is wanted.
 */
export async function startEmbedded(data: string): Promise<EmbeddedServer> {
  const lock = lockDirectory(data, 'gateway.lock');
  try {
    const account = await serverAccount();
    const binaries = findBinaries(account);
    const place = prepare(data, account);
    await clearOrphan(place);
    await makeCluster(place, account, binaries);
    const server = new Server(place, account, binaries, () => lock.release());
    await server.start();
    return server;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** initdb works in a directory of its own, so that an interrupted one leaves nothing that looks like a cluster. */
async function makeCluster(place: Place, account: Account, binaries: Binaries): Promise<void> {
  if (existsSync(join(place.cluster, 'PG_VERSION'))) {
    const major = readFileSync(join(place.cluster, 'PG_VERSION'), 'utf8').trim();
    if (major === binaries.major) return;
    throw new Fault(
      'STORE_UNAVAILABLE',
      `${place.cluster} was made by PostgreSQL ${major}, this is ${binaries.major}: dump it with the former version first`,
    );
  }
  const fresh = `${place.cluster}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const flags = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--data-checksums', '--no-instructions'];
  try {
    await promisify(execFile)(binaries.initdb, [`--pgdata=${fresh}`, `--username=${OWNER}`, ...flags], {
      ...account.become,
      cwd: place.home,
      env: environment(),
    });
  } catch (cause) {
    const said = typeof cause === 'object' && cause !== null && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Fault('STORE_UNAVAILABLE', `the embedded store could not be made: ${said || String(cause)}`, { cause });
  }
  renameSync(fresh, place.cluster);
}

/** No PG* variable of the gateway's own environment may reach the server. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' };
}

class Server implements EmbeddedServer {
  readonly connection: EmbeddedServer['connection'];
  readonly #place: Place;
  readonly #account: Account;
  readonly #binaries: Binaries;
  readonly #release: () => void;
  #child: ChildProcess | undefined;
  #stopping = false;

  constructor(place: Place, account: Account, binaries: Binaries, release: () => void) {
    this.#place = place;
    this.#account = account;
    this.#binaries = binaries;
    this.#release = release;
    this.connection = { host: place.run, port: PORT, user: OWNER, database: 'postgres' };
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const { cluster, run, log, home } = this.#place;
    if (existsSync(log) && statSync(log).size > LOG_LIMIT) renameSync(log, `${log}.1`);
    const output = openSync(log, 'a', 0o600);
    const began = statSync(log).size;
    const settings = [...SETTINGS, `unix_socket_directories="${run.replaceAll('"', '""')}"`];
    const child = spawn(this.#binaries.postgres, ['-D', cluster, ...settings.flatMap((line) => ['-c', line])], {
      ...this.#account.become,
      cwd: home,
      env: environment(),
      stdio: ['ignore', 'ignore', output],
      detached: true, // a terminal's Ctrl-C is for the gateway, which stops the server last
    });
    closeSync(output);
    this.#child = child;
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    let isUp = false;
    void ended.then(() => {
      this.#child = undefined;
      if (isUp && !this.#stopping) void this.#revive();
    });
    for (let waited = 0; waited < READY_WITHIN; waited += 20) {
      if (this.#child !== child) break;
      if (await answers(this.#place)) {
        isUp = this.#child === child;
        if (isUp) return;
      }
      await Promise.race([sleep(20), ended]);
    }
    child.kill('SIGQUIT');
    const tail = readFileSync(log).subarray(began).toString('utf8').trim().slice(-2000);
    throw new Fault('STORE_UNAVAILABLE', `the embedded store did not start: ${tail || 'no word from it'} (see ${log})`);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<boolean>((resolve) => child.once('exit', () => resolve(true)));
      child.kill('SIGINT');
      const late = sleep(20_000, false, { ref: false });
      if (!(await Promise.race([ended, late]))) {
        child.kill('SIGQUIT');
        await ended;
      }
    }
    if (!this.#place.run.startsWith(this.#place.home)) rmSync(this.#place.run, { recursive: true, force: true });
    this.#release();
  }

  /** Backends of the dead server hold its memory until they notice; each attempt may find them still there. */
  async #revive(): Promise<void> {
    for (let pause = 200; !this.#stopping; pause = Math.min(pause * 2, 5000)) {
      await sleep(pause, undefined, { ref: false });
      if (this.#stopping) return;
      try {
        await clearOrphan(this.#place);
        await this.start();
        if (this.#stopping) await this.stop();
        return;
      } catch {
        // Its log has the reason; meanwhile every use of the store is a Fault.
      }
    }
  }
}
