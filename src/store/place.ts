import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { type Account, canReach } from './account.ts';
import { SHARED_ROOT } from './binaries.ts';

/** Where the embedded server keeps its things. */
export interface Place {
  readonly home: string;
  readonly cluster: string;
  /** The directory of its unix socket. */
  readonly run: string;
  readonly log: string;
}

/** sockaddr_un holds 107 bytes (unix(7)); `/.s.PGSQL.5432.lock` is the longest name the server makes there. */
const LONGEST_RUN = 100 - '/.s.PGSQL.5432.lock'.length;

/**
 * Makes the directories of the embedded server under the data directory, owned by `account` and closed to others.
 * Where the account cannot pass through the data directory's parents (root's home), they are made below
 * /var/lib/sallyport and `<data>/postgres` is a link to them; where the socket's path would be too long, the socket
 * is in the system's temporary directory.
 */
export function prepare(data: string, account: Account): Place {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const real = realpathSync(data);
  const link = join(real, 'postgres');
  openWay(real, account);
  if (!existsSync(link)) makeHome(real, link, account);
  const home = realpathSync(link);
  own(home, account);
  const run = join(home, 'run');
  return {
    home,
    cluster: join(home, 'cluster'),
    run: own(shorten(run, home), account),
    log: join(home, 'postgres.log'),
  };
}

/** Where only the last step is closed to the account, it may pass: what is inside stays closed, its names unlisted. */
function openWay(data: string, account: Account): void {
  if (!canReach(account, data) && canReach(account, dirname(data)) && statSync(data).uid === process.getuid?.()) {
    chmodSync(data, 0o711);
  }
}

function makeHome(data: string, link: string, account: Account): void {
  if (canReach(account, data)) {
    mkdirSync(link, { mode: 0o700 });
    return;
  }
  const elsewhere = join(SHARED_ROOT, hash(data));
  const umask = process.umask(0o022);
  mkdirSync(elsewhere, { recursive: true });
  process.umask(umask);
  if (!canReach(account, SHARED_ROOT)) {
    throw new Fault(
      'STORE_UNAVAILABLE',
      `uid ${account.uid}, which runs the embedded store, cannot reach ${SHARED_ROOT}`,
    );
  }
  symlinkSync(elsewhere, link);
}

function shorten(run: string, home: string): string {
  return Buffer.byteLength(run) <= LONGEST_RUN ? run : join(tmpdir(), `sallyport-${hash(home)}`);
}

/** Makes `dir`, or takes it as it is when nobody else could have made it. */
function own(dir: string, account: Account): string {
  try {
    mkdirSync(dir, { mode: 0o700 });
    chownSync(dir, account.uid, account.gid);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const { uid, mode } = lstatSync(dir);
  const isOurs = uid === account.uid || uid === process.getuid?.();
  if (!lstatSync(dir).isDirectory() || !isOurs) {
    throw new Fault('STORE_UNAVAILABLE', `${dir} is not a directory of uid ${account.uid}: remove it`);
  }
  if (uid !== account.uid) chownSync(dir, account.uid, account.gid);
  if ((mode & 0o777) !== 0o700) chmodSync(dir, 0o700);
  return dir;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
