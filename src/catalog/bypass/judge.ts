import type { Json } from '../../core/evidence.ts';
import type { Ours } from './backends.ts';
import type { SeenSession } from './look.ts';

/** Sessions that reach the target past the gateway: of one role, from one address. */
export interface BypassFinding {
  readonly role: string;
  /** Undefined where the gateway's role may not see it, and for unix sockets. */
  readonly address: string | undefined;
  readonly sessions: number;
  /** What they call themselves; the first few. */
  readonly applications: readonly string[];
  /** When the oldest began, or was first seen; milliseconds since the epoch. */
  readonly since: number;
}

/** A session this young may be one of ours that is just logging in. */
const YOUNG = 5_000;
const MOST_APPLICATIONS = 5;

/** Sessions that are not ours, by when they were first seen. */
export type Strangers = ReadonlyMap<string, number>;

/**
 * Tells whose sessions are not ours. `before` is what the last look returned: a session whose age cannot be seen is
 * accused when it is seen a second time.
 */
export function judge(
  sessions: readonly SeenSession[],
  ours: Ours,
  { before, now, young = YOUNG }: { readonly before: Strangers; readonly now: number; readonly young?: number },
): { readonly findings: readonly BypassFinding[]; readonly strangers: Strangers } {
  const strangers = new Map<string, number>();
  const groups = new Map<string, BypassFinding>();
  for (const session of sessions) {
    const { user, process, address, age, application } = session;
    if (ours.has(user, process, age)) continue;
    const key = `${process} ${user}`;
    const seenAt = before.get(key);
    const since = age === undefined ? (seenAt ?? now) : now - age;
    strangers.set(key, since);
    if (age === undefined ? seenAt === undefined : age < young) continue;
    const group = JSON.stringify([user, address ?? null]);
    const found = groups.get(group) ?? { role: user, address, sessions: 0, applications: [], since };
    const isNew = application !== '' && !found.applications.includes(application);
    groups.set(group, {
      ...found,
      sessions: found.sessions + 1,
      applications:
        isNew && found.applications.length < MOST_APPLICATIONS
          ? [...found.applications, application]
          : found.applications,
      since: Math.min(found.since, since),
    });
  }
  return { findings: [...groups.values()].toSorted((a, b) => b.sessions - a.sessions), strangers };
}

/** As events and the API say it. */
export interface ToldFinding extends Readonly<Record<string, Json>> {
  readonly role: string;
  readonly address: string | null;
  readonly sessions: number;
  readonly applications: readonly string[];
  readonly since: string;
}

export function toldFinding({ role, address, sessions, applications, since }: BypassFinding): ToldFinding {
  return { role, address: address ?? null, sessions, applications, since: new Date(since).toISOString() };
}
