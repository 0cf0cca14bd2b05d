import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Ran {
  readonly code: number;
  /** Standard output and error, in the order they came. */
  readonly output: string;
}

const ENTRY = join(import.meta.dirname, '..', 'main.ts');

/** Runs `sallyport` as a program of its own, with nothing in its environment but what is given. */
export function run(
  args: readonly string[],
  folder: string,
  variables: Readonly<Record<string, string>>,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      NO_COLOR: '1',
      ...variables,
    };
    const child = spawn(process.execPath, [ENTRY, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const more = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', more);
    child.stderr.setEncoding('utf8').on('data', more);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
