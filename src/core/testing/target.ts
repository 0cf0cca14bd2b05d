import type { Target } from '../target.ts';

/** A target for tests: the database `postgres` of whatever listens at an address. */
export function targetAt({ host, port }: { host: string; port: number }, more: Partial<Target> = {}): Target {
  return {
    name: 'shop',
    protocol: 'postgres',
    address: { host, port },
    tls: { mode: 'disable' },
    database: 'postgres',
    databases: ['postgres'],
    roles: ['postgres'],
    labels: [],
    mode: 'enforce',
    recording: { mode: 'required', rows: 1 },
    connections: { most: 1, queue: 1 },
    ...more,
  };
}
