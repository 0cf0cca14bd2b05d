import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const DEBIAN = '/usr/lib/postgresql';

/** Path of a program, from PATH or from where Debian puts PostgreSQL's; undefined where there is none that runs. */
export function findProgram(name: string): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort().reverse() : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path) && versionOf(path) !== undefined);
}

/** First line of what it says about itself. */
export function versionOf(path: string): string | undefined {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]?.trim() : undefined;
}

/** Starts a long-running program that ends with this process at the latest, and keeps the end of what it says. */
export function start(
  path: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly account?: { readonly uid?: number; readonly gid?: number } },
): Started {
  const child = spawn(path, [...args], {
    ...options.account,
    cwd: options.cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, SALLYPORT_LOG: 'info' },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT);
  });
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  const orphan = () => child.kill('SIGTERM');
  process.once('exit', orphan);
  return {
    pid: child.pid,
    said: () => said,
    ended: () => failed !== undefined || child.exitCode !== null || child.signalCode !== null,
    stop: async () => {
      process.removeListener('exit', orphan);
      await end(child);
    },
  };
}

export interface Started {
  readonly pid: number | undefined;
  /** The last it wrote to stderr. */
  said(): string;
  ended(): boolean;
  stop(): Promise<void>;
}

const KEPT = 64 * 1024;
const PATIENCE = 15_000;

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(kill);
}
