import { CommanderError } from 'commander';
import { Failure } from './failure.ts';
import { clean, cleanLines, note, style } from './output.ts';
import { program } from './program.ts';

/** Runs a command line; gives the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    if (thrown instanceof Failure) {
      note(`${style.red('error')} ${cleanLines(thrown.message)}`);
      if (thrown.hint !== undefined) note(`${style.dim('try  ')} ${cleanLines(thrown.hint)}`);
      return thrown.exit;
    }
    const { code, message } = thrown as { code?: unknown; message?: unknown };
    note(`${style.red('error')} ${typeof code === 'string' ? `${code}: ` : ''}${clean(String(message ?? thrown))}`);
    if (process.env['SALLYPORT_DEBUG'] && thrown instanceof Error) note(String(thrown.stack));
    return 1;
  }
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2));
