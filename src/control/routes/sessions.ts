import { type Static, Type } from 'typebox';
import type { ListedSession, SessionFilter } from '../../core/directory.ts';
import type { RecordingEntry } from '../../core/evidence.ts';
import type { Revocation } from '../../core/feed.ts';
import { currentOf, rootOf } from '../../core/grant.ts';
import { type Caller, callerId, demand, inPerson, may } from '../caller.ts';
import { HttpProblem, notFound } from '../http-problem.ts';
import type { ControlPorts } from '../ports.ts';
import type { Routes } from '../routes.ts';
import { sendLines } from '../stream.ts';
import { textUpTo } from './texts.ts';
import { iso } from './whoami.ts';

const params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Za-z]{22}$' }) });
const query = Type.Object(
  {
    all: Type.Optional(Type.Enum(['true', 'false'])),
    target: Type.Optional(Type.String({ maxLength: 63 })),
    chain: Type.Optional(Type.String({ maxLength: 1024 })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
  },
  { additionalProperties: false },
);
const reason = Type.Object({ reason: Type.Optional(textUpTo(512)) }, { additionalProperties: false });

export function sessionRoutes(routes: Routes): void {
  const { app, ports, caller } = routes;

  app.get('/v1/sessions', { schema: { querystring: query } }, async (request) => {
    const who = await caller(request);
    const wanted = request.query as Static<typeof query>;
    const everyone = may(who, 'gateway-admin', ports) || may(who, 'gateway-audit', ports);
    const own = everyone ? undefined : ownChainId(who);
    const filter: SessionFilter = {
      live: wanted.all !== 'true',
      limit: Number(wanted.limit ?? 100),
      ...(wanted.target === undefined ? {} : { target: wanted.target }),
      ...(wanted.chain === undefined ? {} : { chainId: wanted.chain }),
      ...(own === undefined ? {} : { chainId: own }),
    };
    const listed = await ports.sessions.list(filter);
    const visible = listed.filter(
      (session) =>
        (everyone || ownsSession(who, session)) &&
        (wanted.chain === undefined || session.chainIds.includes(wanted.chain)),
    );
    return { sessions: visible.map(present) };
  });

  app.post('/v1/sessions/:id/kill', { schema: { params, body: reason } }, async (request) => {
    const who = await caller(request);
    const { id } = request.params as Static<typeof params>;
    const { reason: why = '' } = request.body as Static<typeof reason>;
    const { at } = await kill(id, who, { why, ports });
    return { id, killed_at: iso(at) };
  });

  // Recordings show rows, masked as they were for whoever ran the session, at a time when that was permitted. Having
  // run it is no lasting right to see it: only auditors may, and that they looked is evidence itself.
  app.get('/v1/sessions/:id/recording', { schema: { params } }, async (request, reply) => {
    const who = await caller(request);
    const permitted = (): void => demand(who, ['gateway-audit'], ports);
    permitted();
    const { id } = request.params as Static<typeof params>;
    const session = await ports.sessions.find(id);
    if (!session) throw notFound('session');
    await ports.evidence.audit({
      v: 1,
      type: 'recording.viewed',
      at: iso(ports.clock.now()),
      session: id,
      by: callerId(who),
    });
    return sendLines({ routes, reply, caller: who, permitted }, async function* (signal) {
      yield { session: present(session) };
      for await (const entry of ports.archive.recording(id, signal)) yield line(entry);
    });
  });
}

/** Ends a session of the caller's own, or any where they administer. Throws 404 and 409. */
export async function kill(
  id: string,
  who: Caller,
  { why, ports }: { readonly why: string; readonly ports: ControlPorts },
): Promise<Revocation> {
  const session = await ports.sessions.find(id);
  if (!session || !(ownsSession(who, session) || may(who, 'gateway-admin', ports))) throw notFound('session');
  if (session.endedAt !== undefined)
    throw new HttpProblem(409, 'CONFLICT', `the session ended at ${iso(session.endedAt)}`);
  const by = callerId(who);
  const revocation = await ports.grants.revoke({ kind: 'session', id }, by, why);
  const { grant } = session;
  const at = iso(revocation.at);
  await ports.evidence.audit({ v: 1, type: 'session.killed', at, session: id, grant, by, reason: why });
  return revocation;
}

function ownChainId(who: Caller): string | undefined {
  if (who.kind === 'local') return undefined;
  return inPerson(who) ? rootOf(who.login.chain).principal.id : currentOf(who.login.chain).id;
}

function ownsSession(who: Caller, session: ListedSession): boolean {
  const own = ownChainId(who);
  return own === undefined || session.chainIds.includes(own);
}

/** `frames` travel as base64, everything else as the JSON it is. */
function line({ kind, sequence, at, body }: RecordingEntry) {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (kind === 'frames') return { kind, sequence, at, frames: bytes.toString('base64') };
  return { kind, sequence, at, body: JSON.parse(bytes.toString('utf8')) as unknown };
}

function present(session: ListedSession) {
  const { startedAt, endedAt, chainIds, ...rest } = session;
  return {
    ...rest,
    chain_ids: chainIds,
    client: session.client ?? null,
    started_at: iso(startedAt),
    ended_at: endedAt === undefined ? null : iso(endedAt),
    cause: session.cause ?? null,
    totals: session.totals ?? null,
  };
}
