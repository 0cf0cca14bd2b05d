import type { Command } from 'commander';
import { formatProblem } from '../../config/problem.ts';
import { Fault } from '../../core/fault.ts';
import type { Running } from '../../main.ts';
import { Failure } from '../failure.ts';
import { configPath, readConfig } from '../gateway.ts';

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('Run the gateway in this terminal until it is interrupted.')
    .option('-c, --config <file>', 'configuration file (default: ./sallyport.yaml)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sallyport serve\n  $ sallyport serve --config /etc/sallyport/sallyport.yaml\n',
    )
    .action(async (options: { config?: string }) => {
      const path = configPath(options);
      const loaded = await readConfig(path);
      if (!loaded.ok) {
        throw new Failure(loaded.problems.map(formatProblem).join('\n'), {
          hint: 'Correct the file, or write a sample with "sallyport init".',
        });
      }
      await runUntilStopped(path);
    });
}

async function start(config: string): Promise<Running> {
  try {
    const { serve } = await import('../../main.ts');
    return await serve({ config });
  } catch (thrown) {
    if (thrown instanceof Fault) throw new Failure(`${thrown.message} (${thrown.code})`);
    throw thrown;
  }
}

/** A terminal signals the launcher and this process, and the launcher passes its own on: that is one wish, not two. */
const SAME_WISH_MS = 1000;

/**
 * A first signal stops in order, the embedded store too, also while the gateway is still starting; one that comes
 * later does not wait for that.
 */
async function runUntilStopped(config: string): Promise<void> {
  let running: Running | undefined;
  let since: number | undefined;
  const close = (): void => {
    running?.close().catch(() => process.exit(1));
  };
  const stop = (): void => {
    if (since !== undefined && performance.now() - since > SAME_WISH_MS) process.exit(1);
    if (since !== undefined) return;
    since = performance.now();
    close();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  running = await start(config);
  if (since !== undefined) close();
  await running.closed;
}
