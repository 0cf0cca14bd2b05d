import { type Static, Type } from 'typebox';
import { currentOf, rootOf } from '../../core/grant.ts';
import type { GrantFilter, ListedGrant } from '../../identity/ports.ts';
import { revoke } from '../../identity/revoke.ts';
import { type Caller, callerId, inPerson, may, owns } from '../caller.ts';
import { notFound } from '../http-problem.ts';
import type { Routes } from '../routes.ts';
import { textUpTo } from './texts.ts';
import { iso } from './whoami.ts';

const id = Type.String({ pattern: '^[0-9A-Za-z]{22}$' });
const params = Type.Object({ id });
const query = Type.Object(
  {
    under: Type.Optional(id),
    principal: Type.Optional(Type.String({ maxLength: 1024 })),
    all: Type.Optional(Type.Enum(['true', 'false'])),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
  },
  { additionalProperties: false },
);
const reason = Type.Object({ reason: Type.Optional(textUpTo(512)) }, { additionalProperties: false });

export function grantRoutes({ app, ports, caller }: Routes): void {
  app.get('/v1/grants', { schema: { querystring: query } }, async (request) => {
    const who = await caller(request);
    const wanted = request.query as Static<typeof query>;
    const everyone = may(who, 'gateway-admin', ports) || may(who, 'gateway-audit', ports);
    const filter: GrantFilter = {
      ...(wanted.under === undefined ? {} : { under: wanted.under }),
      ...(wanted.principal === undefined ? {} : { principal: wanted.principal }),
      ...(everyone ? {} : ownFilter(who, wanted.under)),
      live: wanted.all !== 'true',
      limit: Number(wanted.limit ?? 200),
    };
    const listed = await ports.grants.list(filter);
    // The filter narrows; this line is what keeps others' grants out.
    return { grants: listed.filter(({ grant }) => everyone || owns(who, grant)).map(present) };
  });

  app.post('/v1/grants/:id/revoke', { schema: { params, body: reason } }, async (request) => {
    const who = await caller(request);
    const { id: wanted } = request.params as Static<typeof params>;
    const { reason: about = '' } = request.body as Static<typeof reason>;
    const stored = await ports.grants.load(wanted);
    // Somebody else's grant and none at all look the same.
    if (!stored || !(owns(who, currentOf(stored.chain)) || may(who, 'gateway-admin', ports))) throw notFound('grant');
    const { grants, clock } = ports;
    const why = { by: callerId(who), reason: about, origin: who.origin };
    const revocation = await revoke({ kind: 'grant', id: wanted }, why, { grants, clock, audit: ports.evidence });
    return { id: wanted, revoked_at: iso(revocation.at) };
  });
}

function ownFilter(who: Caller, under: string | undefined): Pick<GrantFilter, 'under' | 'principal'> {
  if (who.kind === 'local') return {};
  const { chain } = who.login;
  if (inPerson(who)) return { principal: rootOf(chain).principal.id };
  return { under: under ?? currentOf(chain).id, principal: rootOf(chain).principal.id };
}

function present({ grant, usesLeft, revoked }: ListedGrant) {
  return {
    id: grant.id,
    parent: grant.parent ?? null,
    path: grant.path,
    principal: { id: grant.principal.id, name: grant.principal.name, kind: grant.principal.kind },
    agent: grant.agent
      ? { id: grant.agent.id, name: grant.agent.name, kind: grant.agent.kind, assurance: grant.agent.assurance }
      : null,
    caveats: grant.caveats,
    created_at: iso(grant.createdAt),
    connect_by: iso(grant.connectBy),
    expires: iso(grant.expires),
    uses: grant.uses ?? null,
    uses_left: usesLeft ?? null,
    delegable: grant.delegable,
    max_depth: grant.maxDepth,
    purpose: grant.purpose ?? null,
    revoked: revoked ? { at: iso(revoked.at), by: revoked.by, reason: revoked.reason } : null,
  };
}
