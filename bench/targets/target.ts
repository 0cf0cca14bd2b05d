/** One way to the same database in the same server. */
export interface Target {
  /** `direct`, `direct tls`, …: what tables say. */
  readonly name: string;
  readonly kind: Kind;
  /** Between the client and what it connects to; behind a proxy there is never TLS here. */
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** What clients see of labelled columns and of what detectors look for. */
  readonly hides: { readonly labels: boolean; readonly finds: boolean };
  /** Process whose CPU time is charged; undefined where there is nothing between client and server. */
  readonly pid: number | undefined;
}

/** `sallyport` has everything on; `sallyport-labels` masks labelled columns and has no detectors. */
export type Kind = 'direct' | 'pgbouncer' | 'sallyport' | 'sallyport-labels';

/** The environment in which libpq's programs reach a target. */
export function libpqOf(target: Target): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    // No ~/.postgresql/root.crt and no ~/.pgpass may change what is measured.
    HOME: '/nonexistent',
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGUSER: target.user,
    PGPASSWORD: target.password,
    PGDATABASE: target.database,
    PGSSLMODE: target.tls ? 'require' : 'disable',
    PGGSSENCMODE: 'disable',
  };
}
