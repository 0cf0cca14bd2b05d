import { availableParallelism } from 'node:os';
import type { Case, Setting } from './cases/case.ts';
import { cpuOf } from './cpu.ts';
import { pin } from './pin.ts';
import type { Target } from './targets/target.ts';

/** What the rounds of one case gave for one target. */
export interface Series {
  readonly target: string;
  readonly kind: Target['kind'];
  readonly tls: boolean;
  /** One value per round, in the case's unit. */
  readonly values: readonly number[];
  /** CPU microseconds per transaction, MB, …, of the process between client and server, and with its children. */
  readonly cpu: readonly number[];
  readonly cpuWithChildren: readonly number[];
  /** Why there are no values, or fewer. */
  readonly failed: string | undefined;
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: Case['better'];
  readonly per: string;
  /** Pinning was wanted and done. */
  readonly pinned: boolean;
  readonly series: readonly Series[];
}

interface Growing extends Series {
  readonly values: number[];
  readonly cpu: number[];
  readonly cpuWithChildren: number[];
  failed: string | undefined;
}

/**
 * Runs one case: every target is checked first, then round after round each target in turn, so that what changes on
 * the machine in the meantime changes it for all. A target that fails is left out from there on, and says why.
 */
export async function compare(
  wanted: Case,
  targets: readonly Target[],
  rounds: number,
  setting: Setting,
): Promise<CaseResult> {
  const lanes = targets
    .filter((target) => wanted.kinds.includes(target.kind))
    .map((target) => ({ target, series: growing(target) }));
  const attempt = async (series: Growing, work: () => Promise<void>): Promise<void> => {
    if (series.failed !== undefined) return;
    try {
      await work();
    } catch (thrown) {
      series.failed = thrown instanceof Error ? thrown.message : String(thrown);
    }
  };
  for (const { target, series } of lanes) {
    await attempt(series, () => wanted.check(target, setting));
    // What compiles as it goes is not judged by its first run.
    if (target.kind.startsWith('sallyport')) {
      await attempt(series, async () => void (await wanted.measure(target, { ...setting, seconds: 1 })));
    }
  }
  const pids = [process.pid, setting.serverPid, ...lanes.flatMap(({ target }) => target.pid ?? [])];
  const unpin = wanted.pinned && availableParallelism() > 1 ? pin([...new Set(pids)]) : undefined;
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { target, series } of lanes) await attempt(series, () => measure(wanted, target, series, setting));
    }
  } finally {
    unpin?.();
  }
  const { name, title, unit, better, per } = wanted;
  return { name, title, unit, better, per, pinned: unpin !== undefined, series: lanes.map(({ series }) => series) };
}

async function measure(wanted: Case, target: Target, series: Growing, setting: Setting): Promise<void> {
  const before = target.pid === undefined ? undefined : cpuOf(target.pid);
  const { value, count } = await wanted.measure(target, setting);
  const after = target.pid === undefined ? undefined : cpuOf(target.pid);
  series.values.push(value);
  if (before === undefined || after === undefined) return;
  series.cpu.push(((after.own - before.own) / count) * 1e6);
  series.cpuWithChildren.push(((after.all - before.all) / count) * 1e6);
}

function growing(target: Target): Growing {
  const { name, kind, tls } = target;
  return { target: name, kind, tls, values: [], cpu: [], cpuWithChildren: [], failed: undefined };
}
