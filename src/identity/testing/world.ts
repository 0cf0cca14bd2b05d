import type { Origin } from '../../core/login.ts';
import type { AuthenticatorPorts } from '../authenticator.ts';
import { exchange, type IssuedPass } from '../exchange.ts';
import { isOAuthError, type OAuthError } from '../oauth-error.ts';
import { Providers } from '../providers.ts';
import { LIFETIMES } from '../terms.ts';
import { Throttle } from '../throttle.ts';
import { CountedRandom, MemoryAudit, MemoryGrants, StillClock } from './fakes.ts';
import { fetchFrom, type TestIssuer, testIssuer } from './issuer.ts';

export const CORP = 'https://id.corp.example';
export const CI = 'https://ci.example';
export const ORIGIN: Origin = { address: '10.0.0.1', confidential: true };

/** A whole identity room over fakes: one issuer of people, one of workloads. */
export interface World {
  readonly clock: StillClock;
  readonly grants: MemoryGrants;
  readonly audit: MemoryAudit;
  readonly people: TestIssuer;
  readonly jobs: TestIssuer;
  readonly ports: AuthenticatorPorts;
  /** The form of an exchange, answered. */
  ask(form: Record<string, string>): Promise<IssuedPass | OAuthError>;
  /** The same where it must succeed. */
  pass(form: Record<string, string>): Promise<IssuedPass>;
  alice(claims?: Record<string, unknown>): Promise<string>;
  job(claims?: Record<string, unknown>): Promise<string>;
  /** Forms of the usual exchanges. */
  login(more?: Record<string, string>): Promise<Record<string, string>>;
  attested(parent: string, more?: Record<string, string>): Promise<Record<string, string>>;
  asserted(parent: string, more?: Record<string, string>): Record<string, string>;
}

const TYPE = 'urn:ietf:params:oauth:token-type:';
export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';

export async function world(): Promise<World> {
  const clock = new StillClock();
  const grants = new MemoryGrants(clock);
  const audit = new MemoryAudit();
  const [people, jobs] = await Promise.all([testIssuer(CORP, clock), testIssuer(CI, clock)]);
  const providers = new Providers(
    [
      { kind: 'people', name: 'corp', issuer: CORP, audience: 'sallyport', groupsClaim: 'groups', nameClaim: 'email' },
      {
        kind: 'workload',
        name: 'ci',
        issuer: CI,
        audience: 'gw',
        match: { repo: '7' },
        agent: 'ci',
        rights: 'delegated',
      },
    ],
    { clock, fetch: fetchFrom(people, jobs) },
  );
  const ports: AuthenticatorPorts = {
    grants,
    providers,
    audit,
    clock,
    throttle: new Throttle(clock),
    random: new CountedRandom(),
    lifetimes: LIFETIMES,
    gatewaySecret: new Uint8Array(32).fill(9),
  };
  const self: World = {
    clock,
    grants,
    audit,
    people,
    jobs,
    ports,
    ask: (form) => exchange(new URLSearchParams({ grant_type: GRANT_TYPE, ...form }), ORIGIN, ports),
    async pass(form) {
      const issued = await self.ask(form);
      if (isOAuthError(issued)) throw new Error(`refused: ${issued.description}`);
      return issued;
    },
    alice: (claims = {}) =>
      people.sign({
        sub: 'u1',
        aud: 'sallyport',
        email: 'alice@corp.example',
        groups: ['support'],
        sid: 's1',
        ...claims,
      }),
    job: (claims = {}) => jobs.sign({ sub: 'job-1', aud: 'gw', repo: '7', jti: 'j1', ...claims }),
    login: async (more = {}) => ({ subject_token: await self.alice(), subject_token_type: `${TYPE}id_token`, ...more }),
    attested: async (parent, more = {}) => ({
      subject_token: parent,
      subject_token_type: `${TYPE}access_token`,
      actor_token: await self.job(),
      actor_token_type: `${TYPE}jwt`,
      ...more,
    }),
    asserted: (parent, more = {}) => ({
      subject_token: parent,
      subject_token_type: `${TYPE}access_token`,
      actor: '{"name":"helper"}',
      ...more,
    }),
  };
  return self;
}
