import type { Denial } from './decision.ts';
import type { Chain } from './grant.ts';

/** How firmly the credential was tied to the connection, strongest first. Policies see it as `context.chain.binding`. */
export type Binding = 'certificate' | 'channel' | 'scram' | 'bearer' | 'local';

/** A caller who proved who they are. Made by the identity room only. */
export interface Login {
  readonly chain: Chain;
  readonly binding: Binding;
}

/** Where a login comes from, for throttling, source caveats and the audit log. */
export interface Origin {
  readonly address: string;
  /** True on TLS and on the local socket: only then may a secret travel as itself. */
  readonly confidential: boolean;
}

/** What a driver may ask of the identity room while it speaks a login dialogue. Secrets stay behind it. */
export interface Authenticator {
  /**
   * A SCRAM-SHA-256 exchange (RFC 5802, RFC 7677) for a grant id. An unknown id gets a deterministic mock salt and
   * fails at the end like a wrong secret. `certificate` is the tls-server-end-point hash when -PLUS is offered.
   */
  scram(grant: string, origin: Origin, certificate: Uint8Array | undefined): ScramExchange;
  /** A pass or an identity provider's token presented as itself. */
  bearer(secret: string, origin: Origin): Promise<Login | Denial>;
}

export interface ScramExchange {
  /** Takes client-first-message, gives server-first-message. Throws Fault PROTOCOL_MALFORMED. */
  first(mechanism: string, message: string): Promise<string>;
  /** Takes client-final-message. */
  final(message: string): Promise<{ readonly serverFinal: string; readonly login: Login } | Denial>;
}
