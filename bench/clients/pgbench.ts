import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../targets/program.ts';
import { libpqOf, type Target } from '../targets/target.ts';

export type Mode = 'simple' | 'extended' | 'prepared';

export interface Load {
  readonly mode: Mode;
  readonly clients: number;
  readonly seconds: number;
  /** SQL of one transaction; absent: pgbench's own look-up (-S). */
  readonly script?: string;
  /** A new connection for each transaction. */
  readonly reconnect?: boolean;
}

export interface Done {
  readonly transactions: number;
  readonly perSecond: number;
}

const program = findProgram('pgbench');

/** Whether pgbench is there. */
export const hasPgbench: boolean = program !== undefined;

/** Runs pgbench once. Throws with what it said when a transaction failed. */
export async function pgbench(target: Target, load: Load, directory: string): Promise<Done> {
  const args = ['-n', '-M', load.mode, '-c', String(load.clients), '-T', String(load.seconds)];
  if (load.reconnect === true) args.push('-C');
  if (load.script === undefined) args.push('-S');
  else {
    const file = join(directory, 'script.sql');
    writeFileSync(file, load.script);
    args.push('-f', file);
  }
  try {
    const { stdout, stderr } = await promisify(execFile)(program ?? 'pgbench', args, {
      cwd: directory,
      env: libpqOf(target),
      timeout: (load.seconds + 60) * 1000,
    });
    return read(stdout, stderr);
  } catch (thrown) {
    const said = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr) : String(thrown);
    const errors = said.split('\n').filter((line) => /error|failed|aborted/i.test(line));
    throw new Error(`pgbench: ${(errors.length > 0 ? errors.slice(0, 3) : [said.slice(0, 500)]).join(' | ')}`);
  }
}

function read(stdout: string, stderr: string): Done {
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  const transactions = number(/transactions actually processed: (\d+)/);
  const perSecond = number(/^tps = ([\d.]+)/m);
  const failed = number(/number of failed transactions: (\d+)/);
  if (!(transactions > 0) || !(perSecond > 0) || failed > 0) {
    throw new Error(`pgbench finished ${transactions} transactions, ${failed} failed: ${stderr.slice(-300)}`);
  }
  return { transactions, perSecond };
}
