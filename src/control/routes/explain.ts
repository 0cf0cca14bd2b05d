import { type Static, Type } from 'typebox';
import { type Chain, currentOf, type Grant } from '../../core/grant.ts';
import type { Principal } from '../../core/principal.ts';
import { askContext, type Caller, chainReaches, demand, may, owns } from '../caller.ts';
import { HttpProblem, notFound } from '../http-problem.ts';
import { placeOf } from '../place.ts';
import type { ControlPorts } from '../ports.ts';
import type { Routes } from '../routes.ts';

const MAX_SQL = 1 << 20;

const body = Type.Object(
  {
    as: Type.Optional(
      Type.Object(
        {
          grant: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z]{22}$' })),
          /** `<issuer>|<subject>` or the name people read. */
          principal: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
          groups: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 64 })),
        },
        { additionalProperties: false },
      ),
    ),
    on: Type.String({ minLength: 1, maxLength: 128 }),
    role: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    source: Type.Optional(Type.String({ maxLength: 64 })),
    sql: Type.String({ maxLength: MAX_SQL }),
  },
  { additionalProperties: false },
);

type Asked = Static<typeof body>;

export function explainRoutes({ app, ports, caller }: Routes): void {
  app.post('/v1/explain', { schema: { body }, bodyLimit: 2 * MAX_SQL }, async (request) => {
    const who = await caller(request);
    const asked = request.body as Asked;
    const chain = await chainOf(asked.as, who, ports);
    const everything = may(who, 'gateway-audit', ports) || may(who, 'gateway-admin', ports);
    const context = askContext(who, ports);
    // What a statement would do tells what tables there are: only of targets the chain could connect to.
    const visible = ports
      .config()
      .targets.filter((target) => everything || chainReaches(chain, target, context, ports));
    const place = placeOf(asked, visible);
    return await ports.explain({ chain, ...place, sql: asked.sql, source: asked.source ?? who.origin.address });
  });
}

/** Whom it is explained for. Without `as`, the caller; for anybody else's rights one must be allowed to look at them. */
async function chainOf(as: Asked['as'], who: Caller, ports: ControlPorts): Promise<Chain> {
  if (as?.grant !== undefined) {
    const stored = await ports.grants.load(as.grant);
    if (!stored) throw notFound('grant');
    if (!owns(who, currentOf(stored.chain))) demand(who, ['gateway-audit', 'gateway-admin'], ports);
    return stored.chain;
  }
  if (as?.principal !== undefined) {
    demand(who, ['gateway-audit', 'gateway-admin'], ports);
    return imagined(await principalOf(as.principal, as.groups, ports), ports);
  }
  if (who.kind === 'login') return who.login.chain;
  throw new HttpProblem(400, 'PROTOCOL_MALFORMED', 'body/as must say whom to explain it for: a principal or a grant');
}

/** By id or by name, with the groups of the last login unless others are given. */
async function principalOf(
  wanted: string,
  groups: readonly string[] | undefined,
  ports: ControlPorts,
): Promise<Principal> {
  const byId = await ports.grants.list({ principal: wanted, live: false, limit: 1 });
  const recent = byId.length > 0 ? byId : await ports.grants.list({ live: false, limit: 1000 });
  const newestLast = recent.map(({ grant }): [string, Principal] => [grant.principal.id, grant.principal]).reverse();
  const known = new Map(newestLast);
  const found = known.get(wanted) ?? named(wanted, [...known.values()]);
  if (found) return groups ? { ...found, groups } : found;
  if (groups) return { kind: 'user', id: wanted, name: wanted, groups };
  throw new HttpProblem(
    404,
    'NOT_FOUND',
    `nobody called ${JSON.stringify(wanted)} has logged in; say which groups to assume`,
  );
}

function named(name: string, principals: readonly Principal[]): Principal | undefined {
  const found = principals.filter((principal) => principal.name === name);
  if (found.length > 1) {
    const ids = found.map((principal) => principal.id).join(', ');
    throw new HttpProblem(409, 'CONFLICT', `several principals are called ${JSON.stringify(name)}: ${ids}`);
  }
  return found[0];
}

/** A chain that nobody holds: the principal in person, without any caveat. */
function imagined(principal: Principal, { clock }: ControlPorts): Chain {
  const now = clock.now();
  const root: Grant = {
    id: 'imagined',
    parent: undefined,
    path: ['imagined'],
    principal,
    agent: undefined,
    caveats: {},
    createdAt: now,
    connectBy: now + 60_000,
    expires: now + 60_000,
    uses: undefined,
    delegable: false,
    maxDepth: 0,
    purpose: undefined,
    transaction: 'imagined',
    login: undefined,
  };
  return { grants: [root] };
}
