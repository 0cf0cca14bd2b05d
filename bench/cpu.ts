import { readFileSync } from 'node:fs';

/** CPU seconds a process has used: `own` of its threads, `all` with its children, living and reaped. */
export interface CpuTime {
  readonly own: number;
  readonly all: number;
}

/** USER_HZ, in which Linux counts for user space on every architecture Node runs on. */
const TICKS = 100;

/** Undefined where there is no such process or no /proc. */
export function cpuOf(pid: number): CpuTime | undefined {
  const stat = statOf(pid);
  if (stat === undefined) return undefined;
  const children = childrenOf(pid).map((child) => cpuOf(child)?.all ?? 0);
  return { own: stat.own, all: children.reduce((sum, one) => sum + one, stat.own + stat.reaped) };
}

/** A process and everything below it. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function statOf(pid: number): { own: number; reaped: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name, field 2, is in parentheses and may hold anything; utime is field 14 (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, reapedUser = 0, reapedSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: (user + system) / TICKS, reaped: (reapedUser + reapedSystem) / TICKS };
}

/** Any thread may have started them. */
function childrenOf(pid: number): number[] {
  const stat = read(`/proc/${pid}/task/${pid}/children`);
  return stat === undefined ? [] : stat.split(' ').map(Number).filter(Boolean);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
