import type { SecretReference } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Resolve } from './targets.ts';

export type KeptSecrets = (reference: SecretReference) => Promise<string>;

const KEPT_FOR = 300_000;

/**
 * Secrets that are used often, and by whoever calls from outside: opened once in five minutes, so that a changed one is
 * seen and the audit log is not flooded with openings. One that could not be opened is tried again at the next use.
 */
export function keepSecrets(resolve: Resolve, clock: Clock): KeptSecrets {
  const kept = new Map<string, { readonly at: number; readonly secret: Promise<string> }>();
  return (reference) => {
    const key = `${reference.scheme}:${reference.name}`;
    const now = clock.monotonic();
    const found = kept.get(key);
    if (found !== undefined && now - found.at < KEPT_FOR) return found.secret;
    const secret = resolve(reference);
    kept.set(key, { at: now, secret });
    secret.catch(() => kept.delete(key));
    return secret;
  };
}
