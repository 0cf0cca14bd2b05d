import { type Static, Type } from 'typebox';
import type { ListedDelivery } from '../../approvals/notify/ports.ts';
import { callerId, demand } from '../caller.ts';
import type { Routes } from '../routes.ts';
import { iso } from './whoami.ts';

const params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Za-z]{22}$' }) });
const query = Type.Object(
  {
    state: Type.Optional(Type.Enum(['waiting', 'sent', 'dead', 'all'])),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
  },
  { additionalProperties: false },
);
const empty = Type.Object({}, { additionalProperties: false });

/** What was, is or could not be told to webhooks, Slack and mail. */
export function deliveryRoutes({ app, ports, caller }: Routes): void {
  app.get('/v1/deliveries', { schema: { querystring: query } }, async (request) => {
    demand(await caller(request), ['gateway-admin'], ports);
    const { state = 'all', limit = '100' } = request.query as Static<typeof query>;
    const found = await ports.deliveries.list({ ...(state === 'all' ? {} : { state }), limit: Number(limit) });
    return { deliveries: found.map(present) };
  });

  app.post('/v1/deliveries/:id/retry', { schema: { params, body: empty } }, async (request) => {
    const who = await caller(request);
    demand(who, ['gateway-admin'], ports);
    const { id } = request.params as Static<typeof params>;
    const retried = await ports.deliveries.retry(id);
    await ports.evidence.audit({
      v: 1,
      type: 'delivery.retried',
      at: iso(ports.clock.now()),
      delivery: id,
      destination: retried.destination,
      request: retried.request,
      by: callerId(who),
    });
    return present(retried);
  });
}

function present({ id, destination, type, request, state, tries, createdAt, nextAt, error }: ListedDelivery) {
  return {
    id,
    destination,
    type,
    request,
    state,
    tries,
    created_at: iso(createdAt),
    next_at: nextAt === undefined ? null : iso(nextAt),
    error: error ?? null,
  };
}
