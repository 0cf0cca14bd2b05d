import type { Label } from './label.ts';

export type Protocol = 'postgres' | 'mysql' | 'ssh' | 'kubernetes' | 'http' | 'mcp';

/** What can be connected to. The credential is not here: only the secrets room can name and open it. */
export interface Target {
  readonly name: string;
  readonly protocol: Protocol;
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly tls: UpstreamTls;
  /** Where a client that names no database ends up; also the only one reachable when `databases` is absent. */
  readonly database: string;
  readonly databases: readonly string[];
  /** Upstream roles a client may ask for, the default first. */
  readonly roles: readonly string[];
  readonly labels: readonly Label[];
  /** `observe`: decide and record, enforce guardrails only. */
  readonly mode: 'enforce' | 'observe';
  readonly recording: RecordingRules;
  /** Most upstream connections at once on one worker, and how many sessions may wait for one. */
  readonly connections: { readonly most: number; readonly queue: number };
}

export interface UpstreamTls {
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** PEM of the authorities to trust; absent: the system's. */
  readonly ca?: string;
}

export interface RecordingRules {
  /** `required`: what cannot be recorded does not run. `best-effort`: it runs, and an alarm is raised. */
  readonly mode: 'required' | 'best-effort';
  /** Masked rows kept per statement. */
  readonly rows: number;
}

/** What the gateway logs in with upstream. Lives only between the secrets room and the dial. */
export interface Credential {
  readonly user: string;
  readonly password: string | undefined;
  /** Assumed after login where it is not the user itself; the session ends when the target gives it up. */
  readonly role: string | undefined;
}
