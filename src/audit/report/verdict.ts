import type { TargetReport } from './report.ts';

/** Whether a target can be enforced, by what a report saw. */
export interface Verdict {
  readonly ready: boolean;
  /** One or two sentences for people: what would break, or why nobody can tell. */
  readonly message: string;
}

export interface InForce {
  readonly mode: 'enforce' | 'observe';
  /** Since when the policies in force are; undefined where it is not known. */
  readonly policiesSince: number | undefined;
}

/** An enforced target is `ready`: nothing changes for anybody. */
export function verdictOf(report: TargetReport, { mode, policiesSince }: InForce): Verdict {
  const { cleared, denied, held, would_deny: deny, would_hold: hold } = report.operations;
  if (mode === 'enforce') {
    return {
      ready: true,
      message: `It is enforced already: ${denied} denied and ${held} held of ${cleared + denied}.`,
    };
  }
  if (cleared + denied === 0) {
    return { ready: false, message: `Nothing was asked since ${report.since}: nobody can tell what would break.` };
  }
  if (deny + hold === 0) {
    return {
      ready: true,
      message: `Nothing of ${cleared + denied} operations would have been stopped that was not. Set "mode: enforce".`,
    };
  }
  const would = report.groups.filter(({ enforced }) => !enforced);
  const all = cleared + denied;
  const stops = `Not yet: of ${all} operations ${deny} would have been denied and ${hold} held, and ran.`;
  const since = policiesSince === undefined ? undefined : new Date(policiesSince).toISOString();
  if (since !== undefined && report.left_out.groups === 0 && would.every(({ last }) => last < since)) {
    const message = `${stops} All of it was before the policies in force were loaded: look again with --since ${since}`;
    return { ready: false, message };
  }
  return { ready: false, message: stops };
}
