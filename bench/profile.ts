/**
 * Runs one case against the gateway under `--cpu-prof`, and tells where its time goes: by room, by function, and as
 * folded stacks. Only what happens while the case is measured counts, not start-up, checks or warming up. Times are
 * those of a gateway that is watched: for how fast it is there is the bench.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases/all.ts';
import type { Case } from './cases/case.ts';
import { machineOf } from './machine.ts';
import { type CpuProfile, fold, type Window } from './profiles/cpu-profile.ts';
import { below, merge, total } from './profiles/folded.ts';
import { type Profiled, textOf } from './profiles/text.ts';
import type { Target } from './targets/target.ts';
import { startWorld, type World } from './world.ts';

const USAGE = `npm run profile -- CASE [options]

  --seconds N     how long it is watched (5)
  --rows N        rows of the large result (100000)
  --target NAME   "sallyport" or another of the bench's targets that is a gateway ("sallyport")
  --no-save       only print it

Cases: `;

interface Options {
  readonly wanted: Case;
  readonly seconds: number;
  readonly rows: number;
  readonly target: string;
  readonly save: boolean;
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    console.error(`${USAGE}${cases.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-profile-'));
  try {
    const profiled = await watch(options, folder);
    const text = textOf(profiled);
    console.log(text);
    if (options.save) console.log(`kept as bench/results/profiles/${keep(profiled, options.wanted.name, text)}`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      seconds: { type: 'string', default: '5' },
      rows: { type: 'string', default: '100000' },
      target: { type: 'string', default: 'sallyport' },
      save: { type: 'boolean', default: true },
    },
  });
  const wanted = cases.find(({ name }) => name === positionals[0]);
  const [seconds, rows] = [Number(values.seconds), Number(values.rows)];
  if (wanted === undefined || !(seconds >= 1) || !(rows >= 1_000) || !Number.isInteger(rows)) return undefined;
  return { wanted, seconds, rows, target: values.target, save: values.save };
}

/** Runs the case; the profiles are written when the gateway ends. */
async function watch({ wanted, seconds, rows, target: name }: Options, folder: string): Promise<Profiled> {
  const world = await startWorld(rows, ['--cpu-prof', '--cpu-prof-dir', folder]);
  const close = (): void => void world.close().finally(() => process.exit(130));
  process.once('SIGINT', close).once('SIGTERM', close);
  let seen: Awaited<ReturnType<typeof measure>>;
  let target: Target | undefined;
  try {
    target = world.targets.find((one) => one.name === name && one.pid !== undefined && one.kind !== 'pgbouncer');
    if (target === undefined) throw new Error(`no gateway among the targets is called ${name}`);
    seen = await measure(wanted, target, world, { seconds, rows });
  } finally {
    await world.close();
  }
  const read = readdirSync(folder).map((file) => {
    const { busy, idle } = fold(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, seen.window);
    // CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile
    const [, , , pid, thread] = file.split('.');
    const process = Number(pid) === target.pid ? 'gateway' : 'child process';
    const name = thread === '0' ? process : `${process}, thread ${thread}`;
    return { name, idle, busy: below(name, busy) };
  });
  if (!read.some(({ busy }) => busy.size > 0)) throw new Error('the gateway left no profile of what was measured');
  return {
    at: new Date().toISOString(),
    title: `${wanted.title} (${wanted.name})`,
    target: name,
    value: `${Math.round(seen.value)} ${wanted.unit}`,
    revision: machineOf(world.version).revision,
    processes: read.map(({ name: process, busy, idle }) => ({ name: process, busy: total(busy), idle })),
    folded: merge(read.map(({ busy }) => busy)),
  };
}

async function measure(
  wanted: Case,
  target: Target,
  world: World,
  { seconds, rows }: Pick<Options, 'seconds' | 'rows'>,
): Promise<{ value: number; window: Window }> {
  const [direct] = world.targets;
  if (direct === undefined) throw new Error('no direct target');
  const setting = { seconds, rows, directory: world.directory, direct, serverPid: world.serverPid };
  await wanted.check(target, setting);
  await wanted.measure(target, { ...setting, seconds: 2 });
  // V8 stamps samples by this clock.
  const now = () => Number(process.hrtime.bigint() / 1000n);
  const from = now();
  const { value } = await wanted.measure(target, setting);
  return { value, window: { from, to: now() } };
}

function keep({ at, target }: Profiled, name: string, text: string): string {
  const folder = join(import.meta.dirname, 'results', 'profiles');
  mkdirSync(folder, { recursive: true });
  const when = at.slice(0, 16).replace('T', '-').replace(':', '');
  const suffix = target === 'sallyport' ? '' : `-${target.replaceAll(/[^a-z]+/g, '-')}`;
  const file = `${when}-${name}${suffix}.txt`;
  writeFileSync(join(folder, file), text);
  return file;
}

process.exitCode = await main(process.argv.slice(2));
