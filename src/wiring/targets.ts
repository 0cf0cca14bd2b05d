import { setTimeout as sleep } from 'node:timers/promises';
import { roleServer } from '../catalog/role-server.ts';
import { formatAddress } from '../config/address.ts';
import type { Config, SecretReference, TargetConfig } from '../config/config.ts';
import { toTarget } from '../config/target.ts';
import { Fault } from '../core/fault.ts';
import type { Credential, Target } from '../core/target.ts';
import type { Limits } from '../data/live-session.ts';
import type { DetectRules } from '../policy/statement.ts';
import { passwordOf } from '../secrets/adoption/password.ts';
import type { AdoptedRole } from '../secrets/adoption/record.ts';
import type { Foundation } from './foundation.ts';
import { systemClock } from './system.ts';

/** A target with what only some rooms may see: its detectors and budgets, and where its credential lies. */
export interface WiredTarget {
  readonly target: Target;
  readonly limits: Limits;
  readonly config: TargetConfig;
}

export type Targets = ReadonlyMap<string, WiredTarget>;
export type Resolve = (reference: SecretReference) => Promise<string>;

/** The configured targets, certificates read. Throws Fault SECRET_UNAVAILABLE. */
export async function wireTargets(config: Config, resolve: Resolve): Promise<Targets> {
  const patterns = Object.fromEntries(config.detectors.map((detector) => [detector.name, detector.pattern]));
  const wired = config.targets.map(async (one): Promise<[string, WiredTarget]> => {
    const ca = one.tls.ca === undefined ? undefined : await resolve(one.tls.ca);
    return [one.name, { target: toTarget(one, ca), limits: limitsOf(one, patterns), config: one }];
  });
  return new Map(await Promise.all(wired));
}

function limitsOf(config: TargetConfig, patterns: Readonly<Record<string, string>>): Limits {
  return { detect: rulesOf(config, patterns), budgets: config.budgets, rows: config.rows };
}

/** The target's detectors, with the patterns of those that are the operator's own. */
function rulesOf({ detect }: TargetConfig, patterns: Readonly<Record<string, string>>): DetectRules | undefined {
  if (detect === undefined) return undefined;
  const own = Object.entries(patterns).filter(([name]) => detect.detectors.includes(name));
  return { ...detect, patterns: Object.fromEntries(own) };
}

/**
 * What to log in with at a target. A role other than the credential's own user is assumed after login. A password that
 * was adopted takes the place of what the configuration says.
 */
export async function credentialOf(
  targets: Targets,
  name: string,
  role: string,
  { resolve, adoptions, backends, opened }: Pick<Foundation, 'resolve' | 'adoptions' | 'backends' | 'opened'>,
): Promise<Credential> {
  const wired = targets.get(name);
  if (wired === undefined) throw new Fault('TARGET_UNKNOWN', `there is no target ${name}`);
  const { user, password: reference } = wired.config.credential;
  const { address } = roleOf(wired.target, user);
  const { password, adopted } = await passwordOf({ address, user }, adoptions, {
    configured: async () => reference && (await resolve(reference)),
    works: async (tried) => {
      const connection = await roleServer(wired.target, user, backends).logIn(tried);
      await connection?.close();
      return connection !== undefined;
    },
    now: () => systemClock.now(),
    sleep,
  });
  if (adopted) await opened(`adopted ${user}@${address}`);
  return { user, password, role: role === user ? undefined : role };
}

/** A role at a server, by the server's name in the configuration: targets that spell it alike share its password. */
export function roleOf({ address }: Target, user: string): AdoptedRole {
  return { address: 'path' in address ? address.path : formatAddress(address), user };
}
