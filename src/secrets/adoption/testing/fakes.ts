import { envelope } from '../../envelope.ts';
import type { SealedStore } from '../../ports.ts';
import { rootKey } from '../../root-key.ts';
import { Adoption } from '../adoption.ts';
import type { RoleConnection } from '../ports.ts';
import { type AdoptedRole, AdoptionRecords } from '../record.ts';

export const ROLE: AdoptedRole = { address: 'db.example:5432', user: 'shop_app' };

/** The end of a process: nothing that comes after it happens. */
export class Died extends Error {}

/**
 * A server with one role, a store with sealed values, and a process that can be made to die before or after its n-th
 * step: a change of the store, or a change at the server.
 */
export class FakeWorld {
  password: string = 'shared';
  configured: string | undefined = 'shared';
  /** `trust` in pg_hba.conf. */
  checks: boolean = true;
  /** What the server says to ALTER ROLE. */
  refuses: string | undefined = undefined;
  /** It takes passwords and lets nobody in with a new one. */
  ignores: boolean = false;
  now: number = 1_000_000;
  /** How long it takes until logins under way are through. */
  drainsFor: number = 1_000;
  readonly sealed: Map<string, Uint8Array> = new Map();
  readonly logins: string[] = [];
  dieAt: { readonly step: number; readonly when: 'before' | 'after' } | undefined = undefined;
  step: number = 0;
  #dead = false;
  #made = 0;

  readonly records: AdoptionRecords = new AdoptionRecords(
    {
      get: async (name) => this.#alive(this.sealed.get(name)),
      swap: (name, expected, next) =>
        this.#step(() => {
          const held = this.sealed.get(name);
          if (held !== expected && !(held && expected && Buffer.from(held).equals(expected))) return false;
          if (next === undefined) this.sealed.delete(name);
          else this.sealed.set(name, next);
          return true;
        }),
    } satisfies Pick<SealedStore, 'get' | 'swap'>,
    envelope(rootKey(new Uint8Array(32))),
  );

  readonly adoption: Adoption = new Adoption(ROLE, this.records, {
    server: { logIn: (password) => this.logIn(password) },
    configured: async () => (this.configured === undefined ? undefined : { password: this.configured, from: 'env:P' }),
    verifier: async (password) => `verifier of ${password}`,
    newPassword: () => {
      this.#made += 1;
      return `made ${this.#made}`;
    },
    now: () => this.now,
    drain: async () => {
      this.now += this.drainsFor;
    },
  });

  /** A new process, long after. */
  revive(): void {
    this.#dead = false;
    this.dieAt = undefined;
    this.step = 0;
    this.now += 120_000;
  }

  async logIn(password: string): Promise<RoleConnection | undefined> {
    this.#alive(undefined);
    this.logins.push(password);
    if (this.checks && password !== this.password) return undefined;
    if (this.ignores && password.startsWith('made')) return undefined;
    return {
      setVerifier: (verifier) =>
        this.#step(() => {
          if (this.refuses !== undefined) return { refused: this.refuses };
          this.password = verifier.replace('verifier of ', '');
          return 'set' as const;
        }),
      close: async () => undefined,
    };
  }

  #alive<T>(value: T): T {
    if (this.#dead) throw new Died();
    return value;
  }

  async #step<T>(act: () => T): Promise<T> {
    this.#alive(undefined);
    this.step += 1;
    const dies = this.dieAt?.step === this.step ? this.dieAt.when : undefined;
    if (dies === 'before') this.#die();
    const done = act();
    if (dies === 'after') this.#die();
    return done;
  }

  #die(): never {
    this.#dead = true;
    throw new Died();
  }
}
