import { type ToldFinding, toldFinding } from '../catalog/bypass/judge.ts';
import type { BypassState } from '../catalog/bypass/watch.ts';
import type { Health } from './ports.ts';

/** As the API says it. */
export interface ToldBypass {
  readonly looked_at: string | null;
  readonly sessions: number;
  readonly findings: readonly ToldFinding[];
  readonly limits: readonly string[];
}

export function toldBypass({ lookedAt, findings, limits }: BypassState): ToldBypass {
  return {
    looked_at: lookedAt === undefined ? null : new Date(lookedAt).toISOString(),
    sessions: sessionsOf(findings),
    findings: findings.map(toldFinding),
    limits,
  };
}

/** Counts alone: whoever reads health learns no names. */
export function bypassCounts(states: readonly BypassState[]): Health['bypass'] {
  return {
    sessions: sessionsOf(states.flatMap(({ findings }) => findings)),
    targets: states.filter(({ findings }) => findings.length > 0).length,
    unseen: states.filter(({ lookedAt, limits }) => lookedAt === undefined || limits.length > 0).length,
  };
}

/** For people, one finding a line. */
export function bypassLines({ findings, limits }: BypassState): readonly string[] {
  const lines = findings.map(({ role, address, sessions, applications, since }) => {
    const names = applications.length === 0 ? '' : ` (${applications.join(', ')})`;
    const from = address === undefined ? '' : ` from ${address}`;
    const one = sessions === 1;
    return `${sessions} ${one ? 'session' : 'sessions'} of ${role}${from}${names} ${one ? 'goes' : 'go'} past the gateway, since ${new Date(since).toISOString()}`;
  });
  return [...lines, ...limits];
}

function sessionsOf(findings: readonly { readonly sessions: number }[]): number {
  return findings.reduce((sum, { sessions }) => sum + sessions, 0);
}
