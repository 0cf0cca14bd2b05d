import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../audit/lock.ts';
import { Fault } from '../core/fault.ts';
import type { Place } from './place.ts';

/** Names the socket file and nothing else: the embedded server does not listen on the network. */
export const PORT = 5432;

/**
 * Clears the way for a server on these files. A server left by a gateway that was killed is shut down as an operator
 * would (SIGINT, then SIGQUIT: it recovers from its log), never killed; a pid file whose process is gone or is
 * something else is removed. Call it under the directory's lock only.
 */
export async function clearOrphan(place: Place): Promise<void> {
  const file = join(place.cluster, 'postmaster.pid');
  const pid = pidIn(file);
  if (pid === undefined) return;
  if (!isRunning(pid)) return; // the server itself removes the file of a dead predecessor
  if (!(await answers(place)) && !isServerOf(pid, place)) {
    rmSync(file, { force: true });
    return;
  }
  for (const [signal, patience] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    signalTo(pid, signal);
    if (await isGone(pid, patience)) return;
  }
  throw new Fault('STORE_UNAVAILABLE', `a PostgreSQL server (process ${pid}) is still running on ${place.cluster}`);
}

/** Whether anything accepts connections on the server's socket. */
export function answers(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(join(place.run, `.s.PGSQL.${PORT}`));
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.on('error', () => settle(false));
    socket.setTimeout(1000, () => settle(true));
  });
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** By its command line where the system shows one; when in doubt, yes, and then the server itself decides. */
function isServerOf(pid: number, place: Place): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(place.cluster);
  } catch {
    return true;
  }
}

function signalTo(pid: number, signal: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, or not ours to stop: the wait that follows finds out.
  }
}

async function isGone(pid: number, patience: number): Promise<boolean> {
  for (let waited = 0; waited < patience; waited += 20) {
    if (!isRunning(pid)) return true;
    await sleep(20);
  }
  return false;
}
