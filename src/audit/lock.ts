import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';

/** Held until released or until this process is gone, however it went. */
export interface DirectoryLock {
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** When the process started, so that a pid used again is not taken for its first owner. */
  readonly started: string;
}

/**
 * Makes this process the only one that writes in `dir`. Throws Fault CONFLICT naming the pid of a holder that is
 * alive; the lock of a dead one is taken over. Two starters that find the same dead lock cannot both win: a lock is
 * made by link(2), and whoever moved away a lock other than the dead one it read puts it back.
 */
export function lockDirectory(dir: string, name = 'lock'): DirectoryLock {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, name);
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)), { mode: 0o600, flag: 'wx' });
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      if (link(own, path)) return { release: () => discard(path) };
      const text = read(path);
      if (text === undefined) continue;
      const holder = parse(text);
      if (holder && isRunning(holder.pid) && holder.started === startOf(holder.pid)) {
        throw new Fault('CONFLICT', `${dir} is in use by another gateway (process ${holder.pid})`);
      }
      evict(path, text, own);
    }
    throw new Fault('CONFLICT', `${dir} is being taken by another gateway`);
  } finally {
    discard(own);
  }
}

/** Moves the dead lock away; a lock that turned out to be another one goes back. */
function evict(path: string, dead: string, own: string): void {
  const aside = `${own}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== dead) link(aside, path);
  discard(aside);
}

function identify(pid: number): Holder {
  return { pid, started: startOf(pid) };
}

/** Whether there is such a process and it has not ended; one that nobody waits for stays listed as a zombie. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const [state] = statOf(pid) ?? [];
  return state !== 'Z' && state !== 'X';
}

/** Boot id and start tick on Linux; elsewhere unknown, and the pid alone decides. */
function startOf(pid: number): string {
  const tick = statOf(pid)?.[19];
  if (tick === undefined) return '';
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${tick}`;
}

/** The fields of proc(5) stat from the third on (state first, start time twentieth): the second may hold spaces. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('started' in value)) return undefined;
    const { pid, started } = value;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
    return typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
