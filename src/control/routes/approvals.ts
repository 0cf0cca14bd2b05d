import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { reviewed, withdrawn } from '../../approvals/request.ts';
import type { ApprovalRequest, ApprovalState } from '../../core/approval.ts';
import { choices, giveAnswer, isOwn, maySee, personOf } from '../approving.ts';
import { askContext, type Caller, callerId, chainReaches, demand } from '../caller.ts';
import { HttpProblem, notFound } from '../http-problem.ts';
import { placeOf } from '../place.ts';
import type { ControlPorts } from '../ports.ts';
import type { Routes } from '../routes.ts';
import { iso } from './whoami.ts';

const id = Type.String({ pattern: '^[0-9A-Za-z]{22}$' });
const params = Type.Object({ id });
const STATES = [
  'waiting',
  'approved',
  'denied',
  'withdrawn',
  'used',
  'expired',
] as const satisfies readonly ApprovalState[];
const query = Type.Object(
  {
    state: Type.Optional(Type.Enum([...STATES, 'all'])),
    review: Type.Optional(Type.Enum(['due'])),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
    after: Type.Optional(Type.String({ maxLength: 64 })),
    wait: Type.Optional(Type.String({ pattern: '^[0-9]{1,2}s$' })),
  },
  { additionalProperties: false },
);
const one = Type.Object(
  { wait: Type.Optional(Type.String({ pattern: '^[0-9]{1,2}s$' })) },
  { additionalProperties: false },
);
const answer = Type.Object(
  {
    verdict: Type.Enum(['approve', 'deny', 'break-glass']),
    reason: Type.Optional(Type.String({ maxLength: 1024 })),
    scope: Type.Optional(Type.Enum(['once', 'session', 'fingerprint', 'window'])),
  },
  { additionalProperties: false },
);
const MAX_SQL = 1 << 20;
const asking = Type.Object(
  {
    on: Type.String({ minLength: 1, maxLength: 128 }),
    role: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
    sql: Type.String({ minLength: 1, maxLength: MAX_SQL }),
    parameters: Type.Optional(
      Type.Array(Type.Union([Type.String({ maxLength: 65_536 }), Type.Null()]), { maxItems: 1000 }),
    ),
    purpose: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
  },
  { additionalProperties: false },
);
const note = Type.Object({ note: Type.Optional(Type.String({ maxLength: 1024 })) }, { additionalProperties: false });

/** A long poll ends by itself after this, in time for proxies that end it after a minute. */
const LONGEST_WAIT = 55_000;
/** Nobody tells of new requests, and of those that expire. */
const LOOK_AGAIN = 1_000;

export function approvalRoutes({ app, ports, caller }: Routes): void {
  app.get('/v1/approvals', { schema: { querystring: query } }, async (request, reply) => {
    const who = await caller(request);
    const { state = 'waiting', review, limit = '100', after, wait } = request.query as Static<typeof query>;
    const look = async (): Promise<readonly ApprovalRequest[]> => {
      const found = await ports.approvals.store.list({
        ...(state === 'all' || review !== undefined ? {} : { states: [state] }),
        ...(review === undefined ? {} : { reviewDue: true }),
        limit: Number(limit),
      });
      return found.filter((each) => maySee(who, each, ports));
    };
    // `after` is what the last answer was marked with: a long poll waits while nothing is different.
    const found = await until(
      async () => {
        const now = await look();
        return after === undefined || markOf(now) !== after ? now : undefined;
      },
      { ports, wait, reply: reply.raw },
    );
    const requests = found ?? (await look());
    return { requests: requests.map((each) => present(each, who, ports)), mark: markOf(requests) };
  });

  app.get('/v1/approvals/:id', { schema: { params, querystring: one } }, async (request, reply) => {
    const who = await caller(request);
    const { id: wanted } = request.params as Static<typeof params>;
    const { wait } = request.query as Static<typeof one>;
    const find = async (): Promise<ApprovalRequest> => {
      const found = await ports.approvals.store.find(wanted);
      if (found === undefined || !maySee(who, found, ports)) throw notFound('request');
      return found;
    };
    const settled = await until(
      async () => {
        const found = await find();
        return found.state === 'waiting' ? undefined : found;
      },
      { ports, wait, reply: reply.raw },
    );
    return present(settled ?? (await find()), who, ports);
  });

  app.post('/v1/approvals', { schema: { body: asking }, bodyLimit: 2 * MAX_SQL }, async (request, reply) => {
    const who = await caller(request);
    if (who.kind === 'local')
      throw new HttpProblem(403, 'NOT_PERMITTED', 'ask with a pass: approvals are for somebody');
    const { sql, parameters, purpose, ...asked } = request.body as Static<typeof asking>;
    const { chain, binding } = who.login;
    const visible = ports
      .config()
      .targets.filter((target) => chainReaches(chain, target, askContext(who, ports), ports));
    const place = placeOf(asked, visible);
    const source = who.origin.address;
    const answer = await ports.approvals.ask({ chain, binding, ...place, sql, parameters, purpose, source });
    if ('decision' in answer) {
      const { decision } = answer;
      if (decision.effect === 'permit') throw new HttpProblem(409, 'CONFLICT', 'it needs no approval: run it');
      throw new HttpProblem(403, decision.reason, decision.message, decision.hint);
    }
    const { made } = answer;
    const at = new Date(ports.clock.now()).toISOString();
    const { principal } = made.asker;
    const about = { request: made.id, by: callerId(who), principal: principal.id, target: made.effect.target };
    await ports.evidence.audit({ v: 1, type: 'approval.asked', at, ...about, statement: made.effect.statement });
    reply.code(201);
    return present(made, who, ports);
  });

  app.post('/v1/approvals/:id/answers', { schema: { params, body: answer } }, async (request) => {
    const who = await caller(request);
    const { id: wanted } = request.params as Static<typeof params>;
    const { verdict, reason = '', scope = 'once' } = request.body as Static<typeof answer>;
    return present(await giveAnswer(who, wanted, { verdict, reason, scope }, ports), who, ports);
  });

  app.post('/v1/approvals/:id/withdraw', { schema: { params, body: note } }, async (request) => {
    const who = await caller(request);
    const { id: wanted } = request.params as Static<typeof params>;
    const found = await ports.approvals.store.find(wanted);
    if (found === undefined || !maySee(who, found, ports)) throw notFound('request');
    if (!isOwn(who, found)) demand(who, ['gateway-admin'], ports);
    await told('approval.withdrawn', found, who, ports, request.body as Static<typeof note>);
    return present(await ports.approvals.store.change(wanted, withdrawn), who, ports);
  });

  app.post('/v1/approvals/:id/review', { schema: { params, body: note } }, async (request) => {
    const who = await caller(request);
    demand(who, ['gateway-audit', 'gateway-admin'], ports);
    const { id: wanted } = request.params as Static<typeof params>;
    const found = await ports.approvals.store.find(wanted);
    if (found === undefined) throw notFound('request');
    if (!found.reviewDue) throw new HttpProblem(409, 'CONFLICT', `request ${wanted} waits for no review`);
    const person = personOf(who);
    if (person === undefined || found.answers.some(({ by }) => by.id === person.id)) {
      throw new HttpProblem(403, 'NOT_PERMITTED', 'it is reviewed by somebody known, who did not break the glass');
    }
    await told('approval.reviewed', found, who, ports, request.body as Static<typeof note>);
    return present(await ports.approvals.store.change(wanted, reviewed), who, ports);
  });
}

async function told(
  type: 'approval.withdrawn' | 'approval.reviewed',
  { id: request, asker, effect }: ApprovalRequest,
  who: Caller,
  { evidence, clock }: ControlPorts,
  { note: said = '' }: Static<typeof note>,
): Promise<void> {
  const at = new Date(clock.now()).toISOString();
  await evidence.audit({
    v: 1,
    type,
    at,
    request,
    by: callerId(who),
    note: said,
    principal: asker.principal.id,
    target: effect.target,
  });
}

/** Asks again whenever a request changed, until there is an answer, the wait is over or the caller is gone: undefined. */
async function until<T>(
  look: () => Promise<T | undefined>,
  { ports, wait, reply }: { ports: ControlPorts; wait: string | undefined; reply: NodeJS.EventEmitter },
): Promise<T | undefined> {
  const span = Math.min(Number((wait ?? '0s').slice(0, -1)) * 1000, LONGEST_WAIT);
  if (span === 0) return await look();
  const over = new AbortController();
  const end = (): void => over.abort();
  const timer = setTimeout(end, span);
  reply.once('close', end);
  const changes = ports.approvals.changes();
  try {
    for (;;) {
      const next = changes.next(AbortSignal.any([over.signal, AbortSignal.timeout(LOOK_AGAIN)]));
      const found = await look();
      if (found !== undefined || over.signal.aborted) return found;
      await next;
    }
  } finally {
    clearTimeout(timer);
    reply.removeListener('close', end);
    changes.close();
  }
}

/** What a list looked like, short. */
function markOf(requests: readonly ApprovalRequest[]): string {
  const seen = requests.map(({ id, state, answers }) => [id, state, answers.length]);
  return createHash('sha256').update(JSON.stringify(seen)).digest('base64url').slice(0, 22);
}

function present(request: ApprovalRequest, who: Caller, ports: ControlPorts) {
  const { asker, effect, rules, answers } = request;
  return {
    id: request.id,
    state: request.state,
    created_at: iso(request.createdAt),
    expires_at: iso(request.expiresAt),
    asked_by: {
      principal: asker.principal,
      chain: asker.chain,
      agents: asker.agents,
      purpose: asker.purpose,
      session: asker.session ?? null,
    },
    effect: {
      target: effect.target,
      database: effect.database,
      role: effect.role,
      statement: effect.statement,
      parameters: effect.parameters ?? null,
      verbs: effect.verbs,
      resources: effect.resources,
      labels: effect.labels,
      estimated_rows: effect.estimate ?? null,
      message: effect.message,
      policies: effect.policies,
    },
    digest: request.digest,
    rules: rules.map(({ name, steps, confirm, escalate, scopes }) => ({
      name,
      steps: steps.map(({ groups, people, manager, need }) => ({ groups, people, manager, need })),
      confirm: confirm ?? null,
      escalate: escalate ?? null,
      scopes,
    })),
    answers: answers.map(({ by, verdict, reason, scope, at }) => ({
      by: { id: by.id, name: by.name },
      verdict,
      reason,
      scope,
      at: iso(at),
    })),
    scope: request.scope,
    uses: request.uses,
    review_due: request.reviewDue,
    you_may: choices(who, request, ports),
    yours: isOwn(who, request),
  };
}
