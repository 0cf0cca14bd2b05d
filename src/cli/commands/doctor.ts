import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { localSocketPath } from '../../control/socket-path.ts';
import { bad, doubtful, type Finding, good } from '../doctor/finding.ts';
import { evidence, readiness, target } from '../doctor/gateway.ts';
import { certificate, disk, permissions } from '../doctor/machine.ts';
import { ports, provider } from '../doctor/surroundings.ts';
import { configPath, findGateway, readConfig } from '../gateway.ts';
import { jsonOption } from '../options.ts';
import { clean, note, print, printJson, style } from '../output.ts';
import { check } from './check.ts';

const SIGNS = { good: style.green('✓'), doubtful: style.yellow('!'), bad: style.red('✗') } as const;

export function addDoctor(program: Command): void {
  jsonOption(program.command('doctor'))
    .description('Look at everything a gateway needs, and say what is wrong and what to do next.')
    .option('-c, --config <file>', 'configuration file (default: ./sallyport.yaml)')
    .addHelpText(
      'after',
      `
Works whether or not the gateway runs; with one running it also has it log in to every target. Changes nothing but a
file it writes in the data folder for a moment, to see how fast the disk is.

Exit code 0: nothing is wrong (what is marked ! deserves a look). 1: something is.
`,
    )
    .action(async (options: { config?: string; json?: boolean }) => {
      const findings: Finding[] = [];
      for await (const finding of examine(configPath(options))) {
        findings.push(finding);
        if (!options.json) show(finding);
      }
      const wrong = findings.filter(({ verdict }) => verdict === 'bad').length;
      process.exitCode = wrong > 0 ? 1 : 0;
      if (options.json) return printJson({ ok: wrong === 0, findings });
      note(wrong === 0 ? style.green('Nothing is wrong.') : style.red(`${wrong} of ${findings.length} are wrong.`));
    });
}

function show({ about, verdict, says, next }: Finding): void {
  print(`${SIGNS[verdict]} ${style.bold(clean(about))}: ${clean(says)}`);
  if (next !== undefined && verdict !== 'good') print(`  ${style.dim('→')} ${clean(next)}`);
}

/** In the order in which things depend on each other, each as soon as it is known. */
async function* examine(path: string): AsyncGenerator<Finding> {
  yield good('version', `Node.js ${process.version}`);
  const loaded = existsSync(path) ? await readConfig(path) : undefined;
  if (loaded === undefined) return yield bad('configuration', `there is no ${path}`, 'sallyport init');
  const { problems } = await check(path);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const [first] = problems;
  if (errors > 0) yield bad('configuration', `${errors} errors`, 'sallyport check');
  else if (first !== undefined) yield doubtful('configuration', first.message, 'sallyport check');
  else yield good('configuration', 'no errors');
  if (!loaded.ok) return;

  const { config } = loaded;
  yield permissions(config);
  yield disk(config);
  yield certificate(config, Date.now());
  for (const one of config.identity.providers) yield await provider(one);
  if (existsSync(localSocketPath(config.data))) {
    const gateway = await findGateway({ config: path });
    yield await readiness(config, gateway);
    for (const { name } of config.targets) yield await target(gateway, name);
  } else {
    yield doubtful('gateway', 'not running', 'sallyport serve');
    yield await ports(config);
    yield doubtful('targets', 'not looked at: it is the gateway that logs in to them');
  }
  yield await evidence(config);
}
