import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { findProgram, versionOf } from './targets/program.ts';

/** What the figures were taken on: hardware and versions, nothing that names the machine. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memory: string;
  readonly system: string;
  /** Load before anything was started: above zero, others were at work. */
  readonly load: string;
  readonly node: string;
  readonly postgres: string;
  readonly pgbouncer: string;
  readonly pgbench: string;
  readonly revision: string;
}

export function machineOf(postgres: string): Machine {
  const version = (program: string): string => {
    const path = findProgram(program);
    return (path === undefined ? undefined : versionOf(path)) ?? 'not installed';
  };
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    // What a build adds behind the version can name whose it is.
    system: `${type()} ${release().split('-')[0]}`,
    load: loadAtStart,
    node: process.version,
    postgres,
    pgbouncer: version('pgbouncer'),
    pgbench: version('pgbench'),
    revision: revision(),
  };
}

const loadAtStart = loadavg()
  .map((value) => value.toFixed(2))
  .join(' ');

function revision(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=no').trim() !== '';
    return `${git('rev-parse', '--short', 'HEAD').trim()}${dirty ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
