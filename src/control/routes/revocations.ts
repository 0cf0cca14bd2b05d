import { type Static, Type } from 'typebox';
import { LIFTABLE, type Revocation, type RevocationSubject } from '../../core/feed.ts';
import { currentOf, rootOf } from '../../core/grant.ts';
import { cut, lift, revoke, type Why } from '../../identity/revoke.ts';
import { type Caller, callerId, demand, inPerson, may, owns } from '../caller.ts';
import { HttpProblem, notFound } from '../http-problem.ts';
import type { ControlPorts } from '../ports.ts';
import type { Routes } from '../routes.ts';
import { kill } from './sessions.ts';
import { textUpTo } from './texts.ts';
import { iso } from './whoami.ts';

const KINDS = ['grant', 'principal', 'agent', 'login', 'session', 'target', 'membership'] as const;
const naming = { kind: Type.Enum([...KINDS]), id: textUpTo(1024, 1), reason: Type.Optional(textUpTo(512)) };
const revoking = Type.Object(
  {
    ...naming,
    group: Type.Optional(textUpTo(512, 1)),
    lasting: Type.Optional(Type.Boolean()),
    unseen: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
const lifting = Type.Object(naming, { additionalProperties: false });
const query = Type.Object(
  {
    all: Type.Optional(Type.Enum(['true', 'false'])),
    kind: Type.Optional(Type.Enum([...KINDS])),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
  },
  { additionalProperties: false },
);
/** Sessions that are counted; there may be more. */
const MOST_COUNTED = 1000;

export function revocationRoutes({ app, ports, caller }: Routes): void {
  app.get('/v1/revocations', { schema: { querystring: query } }, async (request) => {
    const who = await caller(request);
    const { all, kind, limit } = request.query as Static<typeof query>;
    const own = ownPrincipal(who);
    const everyone = may(who, 'gateway-admin', ports) || may(who, 'gateway-audit', ports);
    if (!everyone && own === undefined) demand(who, ['gateway-admin', 'gateway-audit'], ports);
    const kinds = kind === undefined ? (all === 'true' ? KINDS : LIFTABLE) : [kind];
    const found = await ports.grants.revocations({
      kinds,
      lasting: all !== 'true',
      limit: Number(limit ?? 100),
      ...(everyone || own === undefined ? {} : { ids: [own] }),
    });
    return { revocations: found.filter(({ subject }) => everyone || isAbout(subject, own)).map(present) };
  });

  app.post('/v1/revocations', { schema: { body: revoking } }, async (request, reply) => {
    const who = await caller(request);
    const body = request.body as Static<typeof revoking>;
    const subject = subjectOf(body);
    const admin = may(who, 'gateway-admin', ports);
    if (!admin) await demandOwn(subject, who, ports);
    await demandKnown(subject, body.unseen === true, ports);
    const ending = await liveSessions(subject, ports);
    // Somebody who lost a laptop wants in again from the next; only an administrator keeps people out, and others at that.
    const lasting = body.lasting ?? (admin && !isAbout(subject, ownPrincipal(who)));
    if (lasting && !admin && subject.kind !== 'grant' && subject.kind !== 'session') {
      throw new HttpProblem(403, 'no-permit', 'only an administrator may revoke this for good', 'leave out "lasting"');
    }
    const made = await strike(subject, lasting, { who, why: body.reason ?? '', ports });
    reply.code(201);
    return { ...present(made), sessions: ending };
  });

  app.post('/v1/revocations/lift', { schema: { body: lifting } }, async (request) => {
    const who = await caller(request);
    demand(who, ['gateway-admin'], ports);
    const body = request.body as Static<typeof lifting>;
    if (body.kind === 'membership') {
      throw new HttpProblem(
        409,
        'CONFLICT',
        'a membership is never revoked for later logins: there is nothing to lift',
      );
    }
    const { grants, clock, evidence: audit } = ports;
    const { kind, id } = body;
    return present(await lift({ kind, id }, whyOf(who, body.reason), { grants, clock, audit }));
  });
}

function subjectOf({ kind, id, group }: Static<typeof revoking>): RevocationSubject {
  if (kind !== 'membership') {
    if (group !== undefined) throw wrong('group is for kind "membership" only');
    return { kind, id };
  }
  if (group === undefined) throw wrong('a membership is a principal and a group: group is missing');
  return { kind, id, group };
}

function wrong(message: string): HttpProblem {
  return new HttpProblem(400, 'PROTOCOL_MALFORMED', message);
}

async function strike(
  subject: RevocationSubject,
  lasting: boolean,
  { who, why, ports }: { readonly who: Caller; readonly why: string; readonly ports: ControlPorts },
): Promise<Revocation> {
  if (subject.kind === 'session') return kill(subject.id, who, { why, ports });
  const { grants, clock, evidence: audit } = ports;
  const how = lasting || subject.kind === 'grant' ? revoke : cut;
  return how(subject, whyOf(who, why), { grants, clock, audit });
}

function whyOf(who: Caller, reason = ''): Why {
  return { by: callerId(who), reason, origin: who.origin };
}

/** What people may end without administering: themselves, and what is theirs. Somebody else's looks like nothing. */
async function demandOwn(subject: RevocationSubject, who: Caller, ports: ControlPorts): Promise<void> {
  const { kind, id } = subject;
  if (kind === 'session') return; // `kill` looks.
  if (kind === 'grant') {
    const stored = await ports.grants.load(id);
    if (stored === undefined || !owns(who, currentOf(stored.chain))) throw notFound('grant');
    return;
  }
  if (!isAbout(subject, ownPrincipal(who)) && !isOwnLogin(subject, who)) demand(who, ['gateway-admin'], ports);
}

function isAbout(subject: RevocationSubject, principal: string | undefined): boolean {
  return (subject.kind === 'principal' || subject.kind === 'membership') && subject.id === principal;
}

function isOwnLogin(subject: RevocationSubject, who: Caller): boolean {
  if (who.kind === 'local' || !inPerson(who)) return false;
  const { login } = rootOf(who.login.chain);
  return subject.kind === 'login' && login !== undefined && subject.id === `${login.provider}|${login.session}`;
}

/** The caller's principal, where it is they who ask and no agent of theirs. */
function ownPrincipal(who: Caller): string | undefined {
  return who.kind === 'login' && inPerson(who) ? rootOf(who.login.chain).principal.id : undefined;
}

/** A revocation of a misspelled name would end nothing and look as if it had. */
async function demandKnown(subject: RevocationSubject, unseen: boolean, ports: ControlPorts): Promise<void> {
  const { kind, id } = subject;
  if (kind === 'session') return;
  if (kind === 'grant') {
    if ((await ports.grants.load(id)) === undefined) throw notFound('grant');
    return;
  }
  if (unseen) return;
  const known =
    kind === 'target' ? ports.config().targets.some(({ name }) => name === id) : await ports.grants.knows(subject);
  if (known) return;
  const hint = 'to revoke it all the same, before it is ever seen, say "unseen": true (--unseen)';
  throw new HttpProblem(404, 'NOT_FOUND', `no ${kind} of that name was ever seen here`, hint);
}

/** How many live sessions it ends. */
async function liveSessions(subject: RevocationSubject, ports: ControlPorts): Promise<number> {
  const { kind, id } = subject;
  const of = kind === 'target' ? { target: id } : { chainId: id };
  const live = await ports.sessions.list({ live: true, limit: MOST_COUNTED, ...of });
  if (subject.kind !== 'membership') return live.length;
  const members = new Set<string>();
  for (const grant of new Set(live.map((session) => session.grant))) {
    const stored = await ports.grants.load(grant);
    if (stored !== undefined && rootOf(stored.chain).principal.groups.includes(subject.group)) members.add(grant);
  }
  return live.filter(({ grant }) => members.has(grant)).length;
}

function present({ subject, by, reason, at, until, lifted }: Revocation) {
  return {
    kind: subject.kind,
    id: subject.id,
    group: subject.kind === 'membership' ? subject.group : null,
    by,
    reason,
    at: iso(at),
    lasting: until === undefined,
    lifted: lifted === undefined ? null : { by: lifted.by, reason: lifted.reason, at: iso(lifted.at) },
  };
}
