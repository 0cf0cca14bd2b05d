import { Fault } from '../core/fault.ts';

/** An OpenID Connect issuer whose word about people is taken: its ID tokens log them in. */
export interface PeopleProvider {
  readonly kind: 'people';
  readonly name: string;
  /** Compared exactly, trailing slash and all. */
  readonly issuer: string;
  /** The client id our login uses: `aud` must contain it, and `azp`, where present, must be it. */
  readonly audience: string;
  readonly groupsClaim: string;
  /** Holds the subject of their manager at the same issuer. */
  readonly managerClaim?: string;
  readonly nameClaim: string;
}

/** An issuer whose tokens say which workload (CI job, service) is speaking. */
export interface WorkloadProvider {
  readonly kind: 'workload';
  readonly name: string;
  readonly issuer: string;
  /** The one audience tokens are made for; unique to this gateway. */
  readonly audience: string;
  /** Claims that must all be there and equal. Never patterns: a subject matched by glob is how CI trust is lost. */
  readonly match: Readonly<Record<string, string>>;
  /** What policies call its kind. */
  readonly agent: string;
  readonly rights: 'delegated' | 'own';
}

export type Provider = PeopleProvider | WorkloadProvider;

/** The class of agents that a parent vouches for; no provider may take the name. */
export const ASSERTED_CLASS = 'asserted';

/** Claims about the token rather than its bearer. */
const NOT_PINS: readonly string[] = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti'];

/** Throws Fault CONFIG_INVALID, naming the provider, for one that would trust too much. */
export function checkProvider(provider: Provider): void {
  const bad = (what: string): never => {
    throw new Fault('CONFIG_INVALID', `identity provider ${provider.name}: ${what}`);
  };
  if (provider.name === ASSERTED_CLASS) bad('this name is reserved');
  if (!isIssuer(provider.issuer)) bad('issuer must be an https URL without query, fragment or "|" (http on loopback)');
  if (provider.audience === '') bad('audience is mandatory');
  if (provider.kind !== 'workload') return;
  const pins = Object.keys(provider.match).filter((claim) => !NOT_PINS.includes(claim));
  if (pins.length === 0) bad('match must pin a claim about the workload, or every job there is let in');
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(provider.agent)) bad('agent must be a lower-case word');
}

/** https, or http on loopback; `|` would blur the border inside a principal's id. */
export function isIssuer(text: string): boolean {
  if (text.length > 512 || /[|?#\s]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return username === '' && password === '' && (protocol === 'https:' || isLoopbackHttp(text));
}

/** `http://` to this machine, by address or as `localhost`. */
export function isLoopbackHttp(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname))
  );
}
