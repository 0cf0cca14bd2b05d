import { bites, type Revocation, strikeKey } from '../core/feed.ts';
import { type Chain, type Foothold, footholdsOf, rootOf } from '../core/grant.ts';
import type { Ending } from '../core/session.ts';

/** What the registry needs of a live session. */
export interface Endable {
  readonly id: string;
  stop(ending: Ending): void;
  /** Whether results may be passed on. */
  pause(paused: boolean): void;
}

/** What a session stands on, under the key it is looked up by. */
export interface Strikable extends Foothold {
  readonly key: string;
}

/**
 * All that ends a session when it is revoked: what its chain stands on, its target, and itself. A target that was
 * opened again is open to those who have logged in since.
 */
export function strikable(chain: Chain, target: string, session: string): Strikable[] {
  const keyed = ({ subject, born }: Foothold): Strikable => ({ key: strikeKey(subject), subject, born });
  const { born } = rootOf(chain);
  return [
    ...footholdsOf(chain).map(keyed),
    keyed({ subject: { kind: 'target', id: target }, born }),
    keyed({ subject: { kind: 'session', id: session }, born: undefined }),
  ];
}

/** The ids of a session's chain, as people look for them. */
export function idsOf(strikables: readonly Strikable[]): string[] {
  const named = strikables.filter(({ subject }) => subject.kind !== 'membership');
  return [...new Set(named.map(({ subject }) => subject.id))];
}

/** Live sessions of this worker, found by anything they stand on, so that a revocation ends them without a search. */
export class Registry {
  readonly #byKey = new Map<string, Map<Endable, number | undefined>>();
  readonly #live = new Map<string, { readonly session: Endable; readonly strikables: readonly Strikable[] }>();

  get size(): number {
    return this.#live.size;
  }

  add(session: Endable, strikables: readonly Strikable[]): void {
    this.#live.set(session.id, { session, strikables });
    for (const { key, born } of strikables) {
      const sessions = this.#byKey.get(key) ?? new Map<Endable, number | undefined>();
      sessions.set(session, born);
      this.#byKey.set(key, sessions);
    }
  }

  remove(id: string): void {
    const entry = this.#live.get(id);
    if (entry === undefined) return;
    this.#live.delete(id);
    for (const { key } of entry.strikables) {
      const sessions = this.#byKey.get(key);
      sessions?.delete(entry.session);
      if (sessions?.size === 0) this.#byKey.delete(key);
    }
  }

  /** Ends every session the revocation strikes, and says how many. */
  strike(revocation: Revocation, ending: Ending): number {
    const sessions = [...(this.#byKey.get(strikeKey(revocation.subject)) ?? [])];
    const struck = sessions.filter(([, born]) => bites(revocation, born));
    for (const [session] of struck) session.stop(ending);
    return struck.length;
  }

  stopAll(ending: Ending): void {
    for (const { session } of this.#live.values()) session.stop(ending);
  }

  pauseAll(paused: boolean): void {
    for (const { session } of this.#live.values()) session.pause(paused);
  }
}
