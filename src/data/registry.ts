import type { RevocationSubject } from '../core/feed.ts';
import { agentsOf, type Chain, rootOf } from '../core/grant.ts';
import type { Ending } from '../core/session.ts';

/** What the registry needs of a live session. */
export interface Endable {
  readonly id: string;
  stop(ending: Ending): void;
}

/** Every id whose revocation strikes a session: its grants, its principal, its agents, its login, its target, itself. */
export function strikable(chain: Chain, target: string, session: string): string[] {
  const root = rootOf(chain);
  return [
    ...chain.grants.map((grant) => key({ kind: 'grant', id: grant.id })),
    key({ kind: 'principal', id: root.principal.id }),
    ...agentsOf(chain).map((agent) => key({ kind: 'agent', id: agent.id })),
    ...(root.login?.session === undefined
      ? []
      : [key({ kind: 'login', id: `${root.login.provider}|${root.login.session}` })]),
    key({ kind: 'target', id: target }),
    key({ kind: 'session', id: session }),
  ];
}

export function key(subject: RevocationSubject): string {
  return `${subject.kind}:${subject.id}`;
}

/** Live sessions of this worker, found by any id in their chain, so that a revocation ends them without a search. */
export class Registry {
  readonly #byKey = new Map<string, Set<Endable>>();
  readonly #live = new Map<string, { readonly session: Endable; readonly keys: readonly string[] }>();

  get size(): number {
    return this.#live.size;
  }

  add(session: Endable, keys: readonly string[]): void {
    this.#live.set(session.id, { session, keys });
    for (const each of keys) {
      const sessions = this.#byKey.get(each) ?? new Set();
      sessions.add(session);
      this.#byKey.set(each, sessions);
    }
  }

  remove(id: string): void {
    const entry = this.#live.get(id);
    if (entry === undefined) return;
    this.#live.delete(id);
    for (const each of entry.keys) {
      const sessions = this.#byKey.get(each);
      sessions?.delete(entry.session);
      if (sessions?.size === 0) this.#byKey.delete(each);
    }
  }

  /** Ends every session the subject strikes, and says how many. */
  strike(subject: RevocationSubject, ending: Ending): number {
    const struck = [...(this.#byKey.get(key(subject)) ?? [])];
    for (const session of struck) session.stop(ending);
    return struck.length;
  }

  stopAll(ending: Ending): void {
    for (const { session } of this.#live.values()) session.stop(ending);
  }
}
