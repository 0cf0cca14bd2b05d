import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import Provider, { type ProviderContext } from 'oidc-provider';
import { MemoryAdapter, type Payload } from './memory-adapter.ts';
import { codePage, confirmPage, donePage, errorPage } from './pages.ts';
import { claimsOf, personBy } from './people.ts';
import type { Signer } from './signer.ts';

/** The one wrapper of `oidc-provider`: an OpenID Connect issuer for people who log in by saying who they are. */
export interface PeopleIssuer {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** The login that the browser is in the middle of. Rejects when there is none. */
  interaction(request: IncomingMessage, response: ServerResponse): Promise<string>;
  finish(request: IncomingMessage, response: ServerResponse, person: string): Promise<void>;
}

/** A public client: `aud` of its ID tokens. */
export const CLIENT_ID = 'sallyport-cli';

const SCOPE = 'openid email profile groups';

export function peopleIssuer(issuer: string, signer: Signer): PeopleIssuer {
  const rows = new Map<string, { payload: Payload; ends: number }>();
  const provider: Provider = new Provider(issuer, {
    adapter: (model: string) => new MemoryAdapter(model, rows),
    jwks: { keys: [signer.privateJwk] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_name: 'Sallyport',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
        response_types: ['code'],
        // RFC 8252 §7.3: on loopback any port will do.
        redirect_uris: ['http://127.0.0.1/callback'],
        id_token_signed_response_alg: signer.algorithm,
        // Never called, since nobody logs out here; with it, ID tokens name their session (`sid`).
        backchannel_logout_uri: 'http://127.0.0.1:1/backchannel-logout',
        backchannel_logout_session_required: true,
      },
    ],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: SCOPE.split(' '),
    // Groups come with every login: a client need not know that this issuer has a scope for them.
    claims: {
      openid: ['sub', 'sid', 'groups'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups'],
    },
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, id: string) => {
      const person = personBy(id);
      return person && { accountId: id, claims: () => ({ sub: id, ...claimsOf(person) }) };
    },
    loadExistingGrant: async ({ oidc }: ProviderContext) => {
      const known = oidc.session.grantIdFor(oidc.client.clientId);
      if (known !== undefined) return provider.Grant.find(known);
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope(SCOPE);
      await grant.save();
      return grant;
    },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    ttl: {
      IdToken: 600,
      AccessToken: 600,
      AuthorizationCode: 60,
      DeviceCode: 300,
      Session: 3600,
      Interaction: 600,
      Grant: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      backchannelLogout: { enabled: true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (context: ProviderContext, form: string) => {
          context.body = codePage(form);
        },
        userCodeConfirmSource: (
          context: ProviderContext,
          form: string,
          _client: unknown,
          _device: unknown,
          code: string,
        ) => {
          context.body = confirmPage(form, code);
        },
        successSource: (context: ProviderContext) => {
          context.body = donePage();
        },
      },
    },
    renderError: (context: ProviderContext, out: { error: string; error_description?: string }) => {
      context.body = errorPage(out.error_description ?? out.error);
    },
  });
  const handle = provider.callback();
  return {
    handle,
    interaction: async (request, response) => (await provider.interactionDetails(request, response)).uid,
    finish: (request, response, person) =>
      provider.interactionFinished(
        request,
        response,
        { login: { accountId: person }, consent: {} },
        { mergeWithLastSubmission: false },
      ),
  };
}
