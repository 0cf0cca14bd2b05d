import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { asFault, Fault } from '../core/fault.ts';
import { newId } from '../core/id.ts';
import type { Origin } from '../core/login.ts';
import { type Caller, fromAllowedSource } from './caller.ts';
import { faultProblem, HttpProblem, problemBody } from './http-problem.ts';
import { oauthRoutes } from './oauth.ts';
import type { ControlPorts } from './ports.ts';
import { RequestRate } from './request-rate.ts';
import { adoptionRoutes } from './routes/adoption.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { auditRoutes } from './routes/audit.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { explainRoutes } from './routes/explain.ts';
import { grantRoutes } from './routes/grants.ts';
import { loginRoutes } from './routes/login.ts';
import { pageRoutes } from './routes/pages.ts';
import { reportRoutes } from './routes/report.ts';
import { revocationRoutes } from './routes/revocations.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { slackRoutes } from './routes/slack.ts';
import { targetRoutes } from './routes/targets.ts';
import { whoamiRoutes } from './routes/whoami.ts';
import type { Routes } from './routes.ts';

/**
 * The control plane's HTTP: what people, CI jobs and consoles ask for. It reads the store and the evidence, decides by
 * policy who may, and writes revocations that the data plane hears on the feed. It holds no session, touches no
 * target's bytes, and keeps no state of its own: while it is down, nothing opens and nothing loosens.
 * One application serves the HTTPS port and the local socket; `isLocal` tells them apart by the connection.
 */
export interface AppOptions {
  readonly ports: ControlPorts;
  readonly isLocal: (request: FastifyRequest) => boolean;
  /** Told about faults that were answered with 5xx: for the log. */
  readonly onFault: (fault: Fault, request: string) => void;
}

const BODY_LIMIT = 64 * 1024;
/** A page of the console with everything on it stays well below. */
const ALL_REQUESTS = { burst: 300, perSecond: 50 };
const TOKEN_REQUESTS = { burst: 60, perSecond: 5 };

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
};

export function createApp({ ports, isLocal, onFault }: AppOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    // A HEAD that opens a recording to throw it away is not worth having.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 128 },
    genReqId: () => newId(ports.clock, ports.random),
    // A lone value is not a list of one, "1" is not 1 in a body, and what is not known is refused.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } },
  });
  const everything = new RequestRate(ports.clock, ALL_REQUESTS);
  const tokens = new RequestRate(ports.clock, TOKEN_REQUESTS);
  const origin = (request: FastifyRequest): Origin => ({
    address: isLocal(request) ? '127.0.0.1' : (request.ip ?? ''),
    confidential: true,
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...HEADERS, 'x-request-id': request.id });
    if (isLocal(request)) return;
    const { address } = origin(request);
    const allowed = everything.take(address) && (!request.url.startsWith('/oauth/') || tokens.take(address));
    if (allowed) return;
    reply.header('retry-after', '5');
    throw new HttpProblem(429, 'LOGIN_THROTTLED', 'too many requests from this address; wait a few seconds');
  });

  const answer = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = toProblem(thrown);
    if (problem.status >= 500) onFault(asFault(thrown), request.id);
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="sallyport", error="invalid_token"');
    reply.code(problem.status).type('application/problem+json').send(problemBody(problem, request.id));
  };
  app.setErrorHandler(answer);
  app.setNotFoundHandler((request, reply) =>
    answer(new HttpProblem(404, 'NOT_FOUND', 'there is nothing here'), request, reply),
  );

  const caller = async (request: FastifyRequest): Promise<Caller> => {
    const header = request.headers.authorization;
    const from = origin(request);
    if (header === undefined) {
      if (isLocal(request)) return { kind: 'local', origin: from };
      throw new HttpProblem(401, 'LOGIN_FAILED', 'send a pass: "Authorization: Bearer slp_…"', 'sallyport login');
    }
    const token = /^Bearer +([!-~]{1,16384})$/i.exec(header)?.[1];
    if (token === undefined)
      throw new HttpProblem(401, 'LOGIN_FAILED', 'the Authorization header is not "Bearer" and a pass');
    const login = await ports.authenticator.bearer(token, from);
    if ('effect' in login) throw new HttpProblem(401, 'LOGIN_FAILED', login.message, login.hint);
    if (!fromAllowedSource(login, from.address)) {
      throw new HttpProblem(403, 'caveat', 'this pass is limited to other addresses than yours');
    }
    return { kind: 'login', login, origin: from };
  };

  const routes: Routes = { app, ports, caller, origin };
  oauthRoutes(routes);
  for (const add of [
    loginRoutes,
    whoamiRoutes,
    targetRoutes,
    grantRoutes,
    sessionRoutes,
    approvalRoutes,
    pageRoutes,
    deliveryRoutes,
    slackRoutes,
    revocationRoutes,
    auditRoutes,
    explainRoutes,
    reportRoutes,
    adoptionRoutes,
  ]) {
    add(routes);
  }
  return app;
}

function toProblem(thrown: unknown): HttpProblem {
  if (thrown instanceof HttpProblem) return thrown;
  if (thrown instanceof Fault) return faultProblem(thrown);
  const error = thrown as Partial<FastifyError>;
  if (error.validation) return new HttpProblem(400, 'PROTOCOL_MALFORMED', error.message ?? 'the request is not right');
  const status = error.statusCode ?? 500;
  // The framework's own refusals (too large, not JSON, unknown content type) speak about the request only.
  if (status >= 400 && status < 500) return new HttpProblem(status, 'PROTOCOL_MALFORMED', error.message ?? 'refused');
  return faultProblem(new Fault('INTERNAL', 'unexpected', { cause: thrown }));
}
