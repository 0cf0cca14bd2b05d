/**
 * Compares a direct connection, pgbouncer and the gateway side by side in one run, and says how the gateway stands to
 * its goals. It refuses to judge by times: machines differ and are disturbed, so what counts are ratios between
 * targets measured next to each other, and CPU time. Every case proves first that what comes back is right.
 * README.md in this folder tells how to read what it prints.
 */
import { join } from 'node:path';
import { cases } from './cases/all.ts';
import type { Case } from './cases/case.ts';
import { hasPgbench } from './clients/pgbench.ts';
import { judge } from './goals.ts';
import { machineOf } from './machine.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { parts } from './parts/all.ts';
import { measurePart, type Part, type PartResult } from './parts/part.ts';
import { partTableOf, type Report, save, tableOf, verdictsOf } from './report.ts';
import { type CaseResult, compare } from './rounds.ts';
import { startWorld, type World } from './world.ts';

async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (thrown) {
    console.error(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${USAGE}`);
    return 2;
  }
  const chosen = choose(options);
  const alone = parts.filter((one) => isChosen(one, options));
  const all = [...alone, ...chosen];
  if (options.help) console.log(USAGE);
  else if (options.list) for (const one of all) console.log(`${one.name.padEnd(22)} ${one.title}`);
  else if (all.length === 0) console.error(`nothing to measure is called ${options.only.join(' or ')}; see --list`);
  else return await bench(alone, chosen, options);
  return options.help || options.list ? 0 : 2;
}

function choose(options: Options): readonly Case[] {
  const chosen = cases.filter((one) => isChosen(one, options));
  return options.only.length > 0 ? chosen : chosen.filter((one) => !options.quick || one.quick);
}

function isChosen({ name }: { readonly name: string }, { only }: Options): boolean {
  return only.length === 0 || only.some((wanted) => name.startsWith(wanted));
}

async function bench(alone: readonly Part[], chosen: readonly Case[], options: Options): Promise<number> {
  const begin = performance.now();
  // Before there is anything else on the machine.
  const measured: PartResult[] = [];
  for (const part of alone) {
    const result = await measurePart(part, options.rounds, options.seconds);
    measured.push(result);
    console.log(`\n${partTableOf(result)}`);
  }
  const world = await startWorld(options.rows);
  // Interrupted, nothing may be left running.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void world.close().finally(() => process.exit(130)));
  }
  try {
    const remarks = missing(world);
    for (const remark of remarks) console.error(`\n!!! ${remark}`);
    const results: CaseResult[] = [];
    for (const one of chosen) {
      const result = await compare(one, world.targets, options.rounds, settingOf(world, options));
      results.push(result);
      console.log(`\n${tableOf(result)}`);
    }
    const { rounds, seconds, rows, quick, only } = options;
    const report: Report = {
      at: new Date().toISOString(),
      machine: machineOf(world.version),
      options: { rounds, seconds, rows, quick, only },
      remarks,
      parts: measured,
      cases: results,
    };
    console.log(`\n${verdictsOf(judge(results, measured))}\n`);
    const took = Math.round((performance.now() - begin) / 1000);
    const failed = results.flatMap(({ series }) => series).filter((one) => one.failed !== undefined).length;
    console.log(`${measured.length} parts and ${results.length} cases in ${took} s, ${failed} failed measurements`);
    if (options.save) console.log(`saved as bench/results/${save(report, join(import.meta.dirname, 'results'))}.md`);
    return failed === 0 ? 0 : 1;
  } finally {
    await world.close();
  }
}

function settingOf(world: World, { seconds, rows }: Options) {
  const [direct] = world.targets;
  if (direct === undefined) throw new Error('no targets');
  return { seconds, rows, directory: world.directory, direct, serverPid: world.serverPid };
}

function missing(world: World): string[] {
  const remarks: string[] = [];
  if (!hasPgbench)
    remarks.push('pgbench is not installed: the pg driver stands in, and is the slowest part of what it measures');
  if (!world.targets.some((target) => target.kind === 'pgbouncer'))
    remarks.push('pgbouncer is not installed: nothing is compared with it');
  if (process.platform !== 'linux') remarks.push('no /proc here: no CPU time');
  return remarks;
}

process.exitCode = await main(process.argv.slice(2));
