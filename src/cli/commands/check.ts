import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { readPolicies } from '../../config/policies.ts';
import type { PolicyTest } from '../../config/policy-test.ts';
import { byPosition, formatProblem, type Problem } from '../../config/problem.ts';
import { rootOf } from '../../core/grant.ts';
import type { PolicyEngine } from '../../core/policy.ts';
import { configPath, readConfig } from '../gateway.ts';
import { jsonOption } from '../options.ts';
import { clean, note, print, printJson, style } from '../output.ts';

/** Everything an operator wrote, looked at. */
export interface Checked {
  readonly problems: readonly Problem[];
  readonly targets: number;
  readonly policies: number;
  readonly tests: number;
}

export function addCheck(program: Command): void {
  jsonOption(program.command('check'))
    .description('Check the configuration, the policies and their tests. Needs no running gateway.')
    .option('-c, --config <file>', 'configuration file (default: ./sallyport.yaml)')
    .option('--strict', 'let warnings fail too')
    .addHelpText(
      'after',
      `
Exit code 0: no errors. 1: errors (or warnings, with --strict); each line names file, line and column.

Tests of policies are *.test.yaml files beside the policies; "sallyport init" writes an example.
`,
    )
    .action(async (options: { config?: string; json?: boolean; strict?: boolean }) => {
      const checked = await check(configPath(options));
      const errors = checked.problems.filter((problem) => problem.severity === 'error').length;
      const warnings = checked.problems.length - errors;
      process.exitCode = errors > 0 || (options.strict && warnings > 0) ? 1 : 0;
      if (options.json) return printJson({ ok: process.exitCode === 0, ...checked });

      for (const problem of checked.problems) print(clean(formatProblem(problem)));
      const { targets, policies, tests } = checked;
      const what = `${count(targets, 'target')}, ${count(policies, 'policy', 'policies')}, ${count(tests, 'test')}`;
      const verdict = errors > 0 ? style.red(count(errors, 'error')) : style.green('no errors');
      note(`${what}: ${verdict}${warnings > 0 ? `, ${style.yellow(count(warnings, 'warning'))}` : ''}`);
    });
}

/** Looks at everything an operator wrote, from its file on. */
export async function check(path: string): Promise<Checked> {
  const loaded = await readConfig(path);
  if (!loaded.ok) return { problems: loaded.problems, targets: 0, policies: 0, tests: 0 };
  const { config } = loaded;
  const folder = readPolicies(config.policies);
  const place = (name: string): string => relative(process.cwd(), join(config.policies, name));
  const found: Problem[] = [...loaded.warnings, ...missingFiles(config), ...folder.problems];

  const [{ readPolicyTests }, { CedarEngine }, { loadPolicies }] = await Promise.all([
    import('../../config/policy-test.ts'),
    import('../../policy/engine.ts'),
    import('../../policy/load.ts'),
  ]);
  const rules = config.approvals.rules.map((rule) => rule.name);
  const policies = loadPolicies(
    folder.policies.map(({ name, text }) => ({ name: place(name), text })),
    { rules },
  );
  const labels = new Map(config.targets.map((target) => [target.name, target.labels]));
  const context = { targetLabels: (target: string) => labels.get(target) ?? [], now: Date.now() };
  const tests = folder.tests.flatMap(({ name, text }) => {
    const read = readPolicyTests(text, { ...context, file: place(name) });
    found.push(...read.problems);
    return read.tests;
  });
  if ('problems' in policies) {
    found.push(...policies.problems);
  } else {
    const engine = new CedarEngine(policies);
    found.push(...policies.warnings, ...tests.flatMap((test) => run(test, engine)));
  }
  return {
    problems: found.toSorted(byPosition),
    targets: config.targets.length,
    policies: 'problems' in policies ? 0 : policies.policies.length,
    tests: tests.length,
  };
}

function run(test: PolicyTest, engine: PolicyEngine): Problem[] {
  const decision = test.ask
    ? engine.decide(test.chain, test.ask, test.context)
    : engine.decideGateway(rootOf(test.chain).principal, test.action, test.context);
  const by = decision.policies.length > 0 ? ` by ${decision.policies.join(', ')}` : '';
  if (decision.effect !== test.expect) {
    const why = decision.effect === 'deny' ? `: ${decision.message}` : '';
    return [test.failed(`"${test.name}" expects ${test.expect}, and it is ${decision.effect}${by}${why}`)];
  }
  const missing = test.policies?.filter((id) => !decision.policies.includes(id)) ?? [];
  if (missing.length === 0) return [];
  return [
    test.failed(`"${test.name}" expects ${missing.join(', ')} to decide; it was decided${by || ' by no policy'}`),
  ];
}

function missingFiles(config: Config): Problem[] {
  const references = [
    config.tls?.certificate,
    config.tls?.key,
    ...config.targets.flatMap((target) => [target.tls.ca, target.credential.password]),
  ];
  return references.flatMap((reference) => {
    if (reference?.scheme !== 'file' || existsSync(reference.name)) return [];
    const file = relative(process.cwd(), config.file);
    return [{ severity: 'warning', file, line: 1, column: 1, message: `${reference.name} does not exist here` }];
  });
}

function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
