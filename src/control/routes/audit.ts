import { type Static, Type } from 'typebox';
import { demand } from '../caller.ts';
import { HttpProblem } from '../http-problem.ts';
import type { Routes } from '../routes.ts';
import { sendLines } from '../stream.ts';

const query = Type.Object(
  {
    last: Type.Optional(Type.String({ pattern: '^(all|[0-9]{1,7})$' })),
    follow: Type.Optional(Type.Enum(['true', 'false'])),
    type: Type.Optional(Type.String({ pattern: '^[a-z.-]{1,64}(,[a-z.-]{1,64}){0,15}$' })),
    session: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z]{22}$' })),
    since: Type.Optional(Type.String({ maxLength: 40 })),
  },
  { additionalProperties: false },
);

export function auditRoutes(routes: Routes): void {
  const { app, ports, caller } = routes;
  app.get('/v1/audit', { schema: { querystring: query } }, async (request, reply) => {
    const who = await caller(request);
    const permitted = (): void => demand(who, ['gateway-audit'], ports);
    permitted();
    const { last = '100', follow, type, session, since } = request.query as Static<typeof query>;
    const from = since === undefined ? undefined : Date.parse(since);
    if (Number.isNaN(from))
      throw new HttpProblem(
        400,
        'PROTOCOL_MALFORMED',
        'querystring/since must be a date and time, as in 2026-01-31T12:00:00Z',
      );
    const wanted = {
      last: last === 'all' ? undefined : Number(last),
      follow: follow === 'true',
      types: type?.split(','),
      session,
      since: from,
    };
    return sendLines({ routes, reply, caller: who, permitted }, (signal) => ports.archive.audit(wanted, signal));
  });
}
