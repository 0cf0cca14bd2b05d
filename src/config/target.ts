import type { Target } from '../core/target.ts';
import type { TargetConfig } from './config.ts';

/** The target as the other rooms know it. `ca` is the PEM text behind the configuration's reference. */
export function toTarget(config: TargetConfig, ca: string | undefined): Target {
  const { name, address, tls, database, databases, roles, labels, mode, recording, connections } = config;
  return {
    name,
    protocol: 'postgres',
    address,
    tls: ca === undefined ? { mode: tls.mode } : { mode: tls.mode, ca },
    database,
    databases,
    roles,
    labels,
    mode,
    recording,
    connections,
  };
}
