import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A gateway as people run it: a process of its own. */
export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly ports: { readonly https: number; readonly postgres: number };
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Starts `sallyport serve` and waits until it says that it is ready. */
export async function serveProcess(config: string): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SALLYPORT_LOG: 'info' },
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'gone'));
  });
  const said: string[] = [];
  const ready = new Promise<GatewayProcess['ports']>((resolve, reject) => {
    const lines = createInterface({ input: child.stderr ?? process.stdin });
    lines.on('line', (line) => {
      said.push(line);
      if (!line.startsWith('{')) return;
      const { msg, postgres, https } = JSON.parse(line) as { msg?: string; postgres?: number; https?: number };
      if (msg === 'ready' && postgres !== undefined && https !== undefined) resolve({ postgres, https });
    });
    void ended.then((how) => reject(new Error(`the gateway ended (${how}): ${said.join('\n')}`)));
  });
  child.stdout?.resume();
  return { child, ports: await ready, ended };
}
