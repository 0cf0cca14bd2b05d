import type { Config } from '../config/config.ts';
import { type PolicyFile, readPolicies } from '../config/policies.ts';
import { formatProblem } from '../config/problem.ts';
import { type Reading, readAll } from '../config/watch.ts';
import { Fault } from '../core/fault.ts';
import { type LoadedPolicies, loadPolicies } from '../policy/load.ts';

/** Configuration and policies, both good. */
export interface Settings {
  readonly config: Config;
  readonly policies: LoadedPolicies;
  readonly files: readonly PolicyFile[];
  readonly hash: string;
  readonly warnings: readonly string[];
}

export function readSettings(file: string): Settings {
  return settingsOf(readAll(file));
}

/** Throws Fault CONFIG_INVALID or POLICY_INVALID with every problem on a line of its own. */
export function settingsOf({ loaded, folder, hash }: Reading): Settings {
  if (!loaded.ok) throw new Fault('CONFIG_INVALID', loaded.problems.map(formatProblem).join('\n'));
  const { config } = loaded;
  const { policies: files, problems } = folder ?? readPolicies(config.policies);
  if (problems.length > 0) throw new Fault('CONFIG_INVALID', problems.map(formatProblem).join('\n'));
  const policies = loadPolicies(files, { rules: config.approvals.rules.map((rule) => rule.name) });
  if ('problems' in policies) throw new Fault('POLICY_INVALID', policies.problems.map(formatProblem).join('\n'));
  return { config, policies, files, hash, warnings: [...loaded.warnings, ...policies.warnings].map(formatProblem) };
}
