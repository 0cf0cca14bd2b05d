import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentOf } from '../core/grant.ts';
import type { IssuedPass } from '../identity/exchange.ts';
import { PASS_TYPE, TOKEN_EXCHANGE } from '../identity/exchange-request.ts';
import { isOAuthError, type OAuthError, oauthError } from '../identity/oauth-error.ts';
import { readForm } from './form.ts';
import type { ControlPorts } from './ports.ts';
import type { Routes } from './routes.ts';

const FORM_LIMIT = 256 * 1024;

/** Token exchange (RFC 8693), introspection (RFC 7662), revocation (RFC 7009) and their metadata (RFC 8414). */
export function oauthRoutes({ app, ports, origin }: Routes): void {
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_LIMIT },
    (_request, body, done) => done(null, new FormText(String(body))),
  );

  app.post('/oauth/token', { bodyLimit: FORM_LIMIT }, async (request, reply) => {
    const form = formOf(request);
    if (isOAuthError(form)) return refuse(reply, form);
    const issued = await ports.tokens.exchange(form, origin(request));
    return 'pass' in issued ? reply.header('pragma', 'no-cache').send(answer(issued, ports)) : refuse(reply, issued);
  });

  app.post('/oauth/introspect', { bodyLimit: FORM_LIMIT }, async (request, reply) => {
    const form = formOf(request);
    if (isOAuthError(form)) return refuse(reply, form);
    const token = form.get('token');
    if (!token) return refuse(reply, oauthError('invalid_request', 'token is missing'));
    // Knowing a pass is the right to ask about it.
    return await ports.tokens.introspect(token, origin(request));
  });

  app.post('/oauth/revoke', { bodyLimit: FORM_LIMIT }, async (request, reply) => {
    const form = formOf(request);
    if (isOAuthError(form)) return refuse(reply, form);
    const token = form.get('token');
    if (!token) return refuse(reply, oauthError('invalid_request', 'token is missing'));
    await ports.tokens.revoke(token, origin(request));
    return reply.code(200).send({});
  });

  // Some clients look in the one place only, some in the other.
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    app.get(`/.well-known/${name}`, () => metadata(ports));
  }
}

/** A form as it came, which no other content type can be taken for. What stands twice in it must be seen to. */
class FormText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** As docs/reference/contract.md has it. */
function answer({ pass, chain, details, summary }: IssuedPass, { clock }: ControlPorts) {
  const grant = currentOf(chain);
  return {
    access_token: pass,
    issued_token_type: PASS_TYPE,
    token_type: 'Bearer',
    expires_in: Math.max(0, Math.floor((grant.expires - clock.now()) / 1000)),
    grant_id: grant.id,
    connect_by: new Date(grant.connectBy).toISOString(),
    ...(details ? { authorization_details: details } : {}),
    summary,
  };
}

function metadata(ports: ControlPorts) {
  const { url } = ports.config();
  return {
    issuer: url,
    token_endpoint: `${url}/oauth/token`,
    introspection_endpoint: `${url}/oauth/introspect`,
    revocation_endpoint: `${url}/oauth/revoke`,
    grant_types_supported: [TOKEN_EXCHANGE],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    authorization_details_types_supported: ['sallyport'],
  };
}

function formOf(request: FastifyRequest): URLSearchParams | OAuthError {
  if (request.body instanceof FormText) return readForm(request.body.text);
  return oauthError('invalid_request', 'the body must be application/x-www-form-urlencoded');
}

function refuse(reply: FastifyReply, { error, description, details }: OAuthError): FastifyReply {
  const body = { error, error_description: description };
  return reply.code(error === 'slow_down' ? 429 : 400).send(details.length > 0 ? { ...body, details } : body);
}
