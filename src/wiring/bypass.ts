import { toldFinding } from '../catalog/bypass/judge.ts';
import { BypassWatch, type WatchedTarget } from '../catalog/bypass/watch.ts';
import { connectCatalog } from '../catalog/connection.ts';
import { Fault } from '../core/fault.ts';
import type { Foundation } from './foundation.ts';
import { systemClock } from './system.ts';
import { credentialOf, roleOf, type Targets, type WiredTarget } from './targets.ts';

/** Watches every target whose configuration does not say otherwise. */
export function watchBypass(targets: () => Targets, foundation: Foundation): BypassWatch {
  const { backends, evidence } = foundation;
  return new BypassWatch({
    targets: () => [...targets().values()].flatMap(watched),
    connect: async (name) => {
      const wired = targets().get(name);
      if (wired === undefined) throw new Fault('TARGET_UNKNOWN', `there is no target ${name}`);
      const credential = await credentialOf(targets(), name, wired.target.roles[0] ?? '', foundation);
      return await connectCatalog(wired.target, wired.target.database, { ...credential, backends, purpose: 'watch' });
    },
    ours: () => backends.ours(),
    alarm: (target, finding) => {
      const at = new Date(systemClock.now()).toISOString();
      return evidence.audit({ v: 1, type: 'alarm', at, alarm: 'bypass', target, ...toldFinding(finding) });
    },
    clock: systemClock,
  });
}

function watched({ target, config: { name, databases, bypass, credential, roles } }: WiredTarget): WatchedTarget[] {
  if (bypass === 'off') return [];
  const server = JSON.stringify([roleOf(target, credential.user), target.tls, target.database]);
  return [
    { name, server, databases, roles: bypass === 'shared' ? [...new Set([credential.user, ...roles])] : undefined },
  ];
}
