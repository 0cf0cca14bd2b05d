import { asFault } from '../../core/fault.ts';
import { literal } from '../literal.ts';
import type { CatalogConnection } from '../ports.ts';
import type { Ours } from './backends.ts';
import { type BypassFinding, judge } from './judge.ts';
import { lookAround } from './look.ts';

/** Sessions of one role, in all databases of its server, that are not ours. */
export interface OtherSessions {
  readonly groups: readonly BypassFinding[];
  /** A pooler stands between: nobody can tell whose sessions are whose. */
  readonly pooled: boolean;
}

export async function othersOf(
  connection: CatalogConnection,
  user: string,
  { ours, now }: { readonly ours: () => Promise<Ours>; readonly now: number },
): Promise<OtherSessions> {
  const { sessions, pooled } = await lookAround(connection, { roles: [user] });
  if (pooled) return { groups: [], pooled };
  return { groups: judge(sessions, await ours(), { before: new Map(), now, young: 0 }).findings, pooled };
}

export interface EndedSessions {
  readonly ended: number;
  /** Why others could not be ended, each once. */
  readonly problems: readonly string[];
}

/**
 * Ends the sessions of a role that are not ours and began at least `age` milliseconds ago: before its password changed.
 * Whoever logged in later had the new one, which only gateways have, and may not be known as ours yet.
 */
export async function endOthers(
  connection: CatalogConnection,
  user: string,
  { ours, age }: { readonly ours: () => Promise<Ours>; readonly age: () => number },
): Promise<EndedSessions> {
  const { sessions, pooled } = await lookAround(connection, { roles: [user] });
  if (pooled) return { ended: 0, problems: ['a pooler stands between: nobody can tell whose sessions are whose'] };
  const known = await ours();
  const problems = new Set<string>();
  let ended = 0;
  for (const session of sessions) {
    if (session.age === undefined || session.age < age() || known.has(user, session.process, session.age)) continue;
    try {
      const rows = await connection.query(end(session.process, user));
      if (rows[0]?.['ended'] === true) ended += 1;
    } catch (thrown) {
      const { cause, message } = asFault(thrown);
      problems.add(cause instanceof Error ? cause.message : message);
    }
  }
  return { ended, problems: [...problems] };
}

/** The number may be another's by now: the role is looked at again. */
function end(process: number, user: string): string {
  return `
  select pg_catalog.pg_terminate_backend(a.pid) as ended from pg_catalog.pg_stat_activity a
  where a.pid = ${Math.trunc(process)} and a.usename = ${literal(user)}`;
}
