import { confirm, isCancel, password, select } from '@clack/prompts';
import { Failure } from './failure.ts';

// The one place that knows the prompt library. Nothing is asked where nobody can answer.

export async function choose(message: string, options: readonly string[]): Promise<string> {
  demandTerminal(message);
  const chosen = await select({ message, options: options.map((value) => ({ value, label: value })) });
  if (isCancel(chosen)) throw new Failure('nothing was chosen');
  return chosen;
}

/** Whether somebody at a terminal agrees. Where there is none, the command itself was the decision. */
export async function agree(message: string): Promise<boolean> {
  if (!(process.stdin.isTTY && process.stdout.isTTY)) return true;
  return (await confirm({ message, initialValue: false })) === true;
}

/** Reads a secret without showing it. */
export async function askSecret(message: string): Promise<string> {
  demandTerminal(message);
  const given = await password({ message });
  if (isCancel(given) || given === '') throw new Failure('nothing was entered');
  return given;
}

function demandTerminal(message: string): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return;
  throw new Failure(`this would ask "${message}", and there is no terminal to answer on`, {
    hint: 'Say it with an option; see --help.',
    exit: 2,
  });
}
