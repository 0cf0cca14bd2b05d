import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PINNED = join(ROOT, 'node_modules', 'node', 'bin', 'node');
/** What bin/sallyport.js ends up running, without its detour. */
const DIRECT: readonly string[] = [existsSync(PINNED) ? PINNED : process.execPath, join(ROOT, 'src', 'cli', 'main.ts')];
const BIN: readonly string[] = [process.execPath, join(ROOT, 'bin', 'sallyport.js')];

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Through the launcher, as it is installed. */
  readonly bin?: boolean;
}

/** Runs the command as people do. Its environment holds nothing of ours but what is given. */
export function sallyport(args: readonly string[], options: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: options.cwd, NO_COLOR: '1', ...options.env };
    const [node = 'node', ...entry] = options.bin ? BIN : DIRECT;
    const child = spawn(node, [...entry, ...args], { cwd: options.cwd, env });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
