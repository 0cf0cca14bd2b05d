import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../core/fault.ts';

const run = promisify(execFile);

/** Whom the embedded server runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** What `spawn` needs to become that account; empty where the gateway already is it. */
  readonly become: { readonly uid: number; readonly gid: number } | Record<string, never>;
}

/**
 * PostgreSQL refuses to run as root. Started by root, it gets the account `sallyport`, else `postgres`, else a new
 * system account `sallyport`.
 */
export async function serverAccount(): Promise<Account> {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? uid, become: {} };

  const found = (await find('sallyport')) ?? (await find('postgres')) ?? (await create('sallyport'));
  if (!found) {
    throw new Fault(
      'STORE_UNAVAILABLE',
      'the embedded store cannot run as root and no account could be made for it: create a system account named ' +
        'sallyport, run the gateway as an ordinary user, or set store: postgres://…',
    );
  }
  return { ...found, become: found };
}

/** Whether the account may pass through every directory down to and including `path`. */
export function canReach(account: Account, path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

async function find(name: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, name])));
    const ids = { uid: Number(uid?.stdout.trim()), gid: Number(gid?.stdout.trim()) };
    return Number.isInteger(ids.uid) && ids.uid > 0 && Number.isInteger(ids.gid) ? ids : undefined;
  } catch {
    return undefined;
  }
}

async function create(name: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name]);
  } catch {
    // No right to, or no such tool: the look-up below says which accounts there are.
  }
  return find(name);
}
