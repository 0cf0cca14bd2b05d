import type { Config } from '../config/config.ts';
import type { TokenService } from '../control/ports.ts';
import type { Origin } from '../core/login.ts';
import { type AuthenticatorPorts, GrantAuthenticator } from '../identity/authenticator.ts';
import { exchange } from '../identity/exchange.ts';
import { introspect } from '../identity/introspect.ts';
import { Providers } from '../identity/providers.ts';
import { revokePass } from '../identity/revoke.ts';
import { LIFETIMES } from '../identity/terms.ts';
import { Throttle } from '../identity/throttle.ts';
import type { Foundation } from './foundation.ts';
import { systemClock, systemRandom } from './system.ts';

export interface WiredIdentity {
  readonly providers: Providers;
  readonly authenticator: GrantAuthenticator;
  readonly tokens: TokenService;
}

export function wireIdentity(config: Config, { store, evidence, rootKey }: Foundation): WiredIdentity {
  const providers = new Providers(config.identity.providers, { clock: systemClock });
  const ports: AuthenticatorPorts = {
    grants: store.grants,
    providers,
    audit: evidence,
    throttle: new Throttle(systemClock),
    clock: systemClock,
    random: systemRandom,
    lifetimes: LIFETIMES,
    gatewaySecret: rootKey.derive('logins'),
  };
  return {
    providers,
    authenticator: new GrantAuthenticator(ports),
    tokens: {
      exchange: (form: URLSearchParams, origin: Origin) => exchange(form, origin, ports),
      introspect: (token, origin) => introspect(token, origin, { ...ports, issuer: config.url }),
      revoke: (token, origin) => revokePass(token, origin, ports),
    },
  };
}
