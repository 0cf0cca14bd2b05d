import type { Command } from 'commander';
import { formatProblem } from '../../config/problem.ts';
import { Fault } from '../../core/fault.ts';
import type { Running } from '../../main.ts';
import { Failure } from '../failure.ts';
import { configPath, readConfig } from '../gateway.ts';
import { note } from '../output.ts';
import { untilStopped } from '../stopping.ts';

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

/**
 * A first signal stops in order, the embedded store too, also while the gateway is still starting; one that comes
 * later does not wait for that.
 */
async function runUntilStopped(config: string): Promise<void> {
  const stopped = untilStopped();
  const running = await start(config);
  const { https, postgres } = running.ports;
  if (process.stderr.isTTY) note(`\nReady: https on ${https}, PostgreSQL on ${postgres}. Ctrl-C stops it.`);
  stopped.then(() => running.close()).catch(() => process.exit(1));
  await running.closed;
}
