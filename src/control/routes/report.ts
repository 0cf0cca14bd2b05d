import { type Static, Type } from 'typebox';
import { REPORTED, tally } from '../../audit/report/tally.ts';
import { verdictOf } from '../../audit/report/verdict.ts';
import { Fault } from '../../core/fault.ts';
import { toldBypass } from '../bypass.ts';
import { demand } from '../caller.ts';
import { HttpProblem, notFound } from '../http-problem.ts';
import type { Routes } from '../routes.ts';

const params = Type.Object({ name: Type.String({ maxLength: 63 }) });
const query = Type.Object({ since: Type.Optional(Type.String({ maxLength: 40 })) }, { additionalProperties: false });

const WEEK = 7 * 24 * 3_600_000;
/** Reports at once in one process: each reads through evidence. */
const MOST = 2;

/** What was, or would have been, denied and held at a target, and whether it can be enforced. */
export function reportRoutes({ app, ports, caller }: Routes): void {
  let running = 0;
  app.get('/v1/targets/:name/report', { schema: { params, querystring: query } }, async (request, reply) => {
    demand(await caller(request), ['gateway-audit', 'gateway-admin'], ports);
    const { name } = request.params as Static<typeof params>;
    const target = ports.config().targets.find((one) => one.name === name);
    if (target === undefined) throw notFound('target');
    const now = ports.clock.now();
    const since = sinceOf((request.query as Static<typeof query>).since, now);
    if (running >= MOST) throw new Fault('CONFLICT', 'other reports are being made; try again when they are done');
    running += 1;
    const stop = new AbortController();
    reply.raw.once('close', () => stop.abort());
    try {
      const wanted = { last: undefined, follow: false, types: REPORTED, session: undefined, target: name, since };
      const report = await tally(until(ports.archive.audit(wanted, stop.signal), stop.signal), {
        target: name,
        since,
        until: now,
        // The report is made of evidence: what the store would add is left out while it is away.
        chainOf: async (session) => (await ports.sessions.find(session).catch(() => undefined))?.chain,
      });
      const state = ports.bypass.states().find((one) => one.target === name);
      const policiesSince = await ports.policiesSince().catch(() => undefined);
      return {
        ...report,
        mode: target.mode,
        ...(policiesSince === undefined ? {} : { policies_since: new Date(policiesSince).toISOString() }),
        ...(state === undefined ? {} : { bypass: toldBypass(state) }),
        verdict: verdictOf(report, { mode: target.mode, policiesSince }),
      };
    } finally {
      running -= 1;
    }
  });
}

function sinceOf(text: string | undefined, now: number): number {
  if (text === undefined) return now - WEEK;
  const since = Date.parse(text);
  if (!Number.isNaN(since)) return since;
  throw new HttpProblem(
    400,
    'PROTOCOL_MALFORMED',
    'querystring/since must be a date and time, as in 2026-01-31T12:00:00Z',
  );
}

/** Nobody reads on for a reader who has left. */
async function* until<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const value of source) {
    if (signal.aborted) throw new Fault('ABORTED', 'whoever asked has left');
    yield value;
  }
}
