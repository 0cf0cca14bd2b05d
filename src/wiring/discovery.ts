import type { Catalogs } from '../catalog/catalogs.ts';
import { connectCatalog } from '../catalog/connection.ts';
import { discover } from '../catalog/discovery/discover.ts';
import type { Discovery, DiscoveryRequest, Find } from '../catalog/discovery/proposal.ts';
import type { DetectorConfig } from '../config/config.ts';
import { Fault } from '../core/fault.ts';
import type { DetectObligation } from '../core/obligation.ts';
import { DETECTORS, Scanner } from '../masking/detectors/scanner.ts';
import type { Foundation } from './foundation.ts';
import type { Settings } from './settings.ts';
import { systemClock } from './system.ts';
import { credentialOf, type Targets } from './targets.ts';

export interface DiscoveryParts {
  readonly catalogs: Catalogs;
  readonly settings: () => Settings;
  readonly targets: () => Targets;
  readonly foundation: Foundation;
}

export type Discover = (name: string, database: string, request: DiscoveryRequest) => Promise<Discovery>;

/** Looks through databases of targets with all detectors there are; one database once at a time. */
export function discoverer({ catalogs, settings, targets, foundation }: DiscoveryParts): Discover {
  const running = new Set<string>();
  return async (name, database, request) => {
    const wired = targets().get(name);
    if (wired === undefined) throw new Fault('TARGET_UNKNOWN', `there is no target ${name}`);
    const key = JSON.stringify([name, database]);
    if (running.has(key))
      throw new Fault('CONFLICT', `${name} is being looked through already; try again when that is done`);
    running.add(key);
    try {
      // Labels as they are now, not as they were when somebody last connected.
      catalogs.changed(name, database);
      const catalog = await catalogs.get(name, database);
      const credential = await credentialOf(targets(), name, wired.target.roles[0] ?? '', foundation);
      const connection = await connectCatalog(wired.target, database, { ...credential, backends: foundation.backends });
      try {
        const find = finder(settings().config.detectors);
        return await discover(request, { connection, catalog, find, clock: systemClock });
      } finally {
        await connection.end();
      }
    } finally {
      running.delete(key);
    }
  };
}

const encoder = new TextEncoder();

function finder(own: readonly DetectorConfig[]): Find {
  const obligation: DetectObligation = {
    kind: 'detect',
    detectors: [...DETECTORS, ...own.map(({ name }) => name)],
    patterns: Object.fromEntries(own.map(({ name, pattern }) => [name, pattern])),
    ['then' as const]: 'observe',
  };
  const scanner = new Scanner([obligation]);
  return (text, found) => {
    const bytes = encoder.encode(text);
    scanner.scan(bytes, 0, bytes.length, 'text', (detector, _reaction, length) => found(detector, length));
  };
}
