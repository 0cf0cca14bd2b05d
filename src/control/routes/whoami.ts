import { agentsOf, currentOf, rootOf } from '../../core/grant.ts';
import { callerName, inPerson, may } from '../caller.ts';
import type { Routes } from '../routes.ts';

const ROLES = ['gateway-admin', 'gateway-approve', 'gateway-audit'] as const;

export function whoamiRoutes({ app, ports, caller }: Routes): void {
  app.get('/v1/whoami', async (request) => {
    const who = await caller(request);
    const gateway = ROLES.filter((action) => may(who, action, ports));
    if (who.kind === 'local') return { name: callerName(who), via: 'local', gateway };
    const { chain, binding } = who.login;
    const grant = currentOf(chain);
    return {
      name: callerName(who),
      via: binding,
      in_person: inPerson(who),
      gateway,
      principal: rootOf(chain).principal,
      agents: agentsOf(chain),
      grant_id: grant.id,
      connect_by: iso(grant.connectBy),
      expires: iso(grant.expires),
    };
  });
}

export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
