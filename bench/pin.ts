import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { familyOf } from './cpu.ts';

/**
 * Puts processes, with all their threads and children, on the first core, and gives back what undoes it. Where there
 * is no `taskset`, undefined: nothing was pinned.
 */
export function pin(pids: readonly number[]): (() => void) | undefined {
  const cores = availableParallelism();
  const all = pids.flatMap(familyOf);
  const put = (list: string) =>
    all.map((pid) => spawnSync('taskset', ['-a', '-p', '-c', list, String(pid)], { stdio: 'ignore' }).status === 0);
  // Some may have ended meanwhile; none at all means that pinning does not work here.
  if (!put('0').some(Boolean)) return undefined;
  return () => {
    put(`0-${cores - 1}`);
  };
}
