import type { Password } from './record.ts';

/** The role at its server, as an adoption needs it. */
export interface RoleServer {
  /** Undefined where the server refuses the password. Throws Fault where nobody can tell. */
  logIn(password: string): Promise<RoleConnection | undefined>;
}

/** A connection that has logged in as the role. */
export interface RoleConnection {
  /**
   * Changes the role's own password. `refused`: the server said no, and nothing has changed. Throws Fault where nobody
   * can tell whether it has.
   */
  setVerifier(verifier: string): Promise<'set' | { readonly refused: string }>;
  close(): Promise<void>;
}

export interface AdoptionPorts {
  readonly server: RoleServer;
  /** What the configuration says; undefined where it names no password, or it cannot be read any more. */
  readonly configured: () => Promise<Password | undefined>;
  readonly verifier: (password: string) => Promise<string>;
  readonly newPassword: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Waits until logins under way with the password that is about to change are through. */
  readonly drain: () => Promise<void>;
}
