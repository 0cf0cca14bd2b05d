import type { Denial } from '../core/decision.ts';
import { deny } from '../core/decision.ts';
import type { Json } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';
import { type Chain, currentOf } from '../core/grant.ts';
import { isId } from '../core/id.ts';
import type { Authenticator, Binding, Login, Origin, ScramExchange } from '../core/login.ts';
import { chainFields, eventOf, originFields } from './event.ts';
import { grantOfPass, standingOf } from './holder.ts';
import { looksLikeJwt } from './jwt.ts';
import { mockScramKeys, parsePass } from './pass.ts';
import type { StoredGrant } from './ports.ts';
import { ScramServer } from './scram.ts';
import { reasonOf } from './token-fault.ts';
import { type TokenLoginPorts, TokenLogins } from './token-logins.ts';

/** `gatewaySecret` also makes the salts of grants that do not exist. */
export type AuthenticatorPorts = TokenLoginPorts;

/** Said to whoever fails, whatever failed. What it was is in the audit log. */
export const LOGIN_REFUSED = 'the login is not accepted: the pass or token is unknown, wrong, expired or revoked';

/**
 * Lets holders of passes and tokens log in. Failures are thrown as Fault LOGIN_FAILED, with one message for all, or
 * LOGIN_THROTTLED; a Denial is for a caller whose credential was right, or who must not send it this way, and may
 * be shown as it is. Nobody is let in whose login could not be recorded.
 */
export class GrantAuthenticator implements Authenticator {
  readonly #ports: AuthenticatorPorts;
  readonly #tokens: TokenLogins;

  constructor(ports: AuthenticatorPorts) {
    this.#ports = ports;
    this.#tokens = new TokenLogins(ports);
  }

  scram(grant: string, origin: Origin, certificate: Uint8Array | undefined): ScramExchange {
    return new GrantScram(grant, origin, certificate, this.#ports);
  }

  async bearer(secret: string, origin: Origin): Promise<Login | Denial> {
    const pass = parsePass(secret);
    this.#ports.throttle.admit(origin, pass?.grant);
    if (!origin.confidential) {
      this.#ports.throttle.failed(origin);
      await refused('secret on a connection that is not confidential', origin, {}, this.#ports);
      return deny('unsupported', 'a pass or token is taken as a password on TLS only', {
        hint: 'Connect with sslmode=verify-full, or log in as user g.<grant id> so that the pass never crosses the wire.',
      });
    }
    const stored = await this.#resolve(secret, origin);
    if (typeof stored !== 'string') return admit(stored, 'bearer', origin, this.#ports);
    this.#ports.throttle.failed(origin, pass?.grant);
    await refused(stored, origin, pass ? { grant: pass.grant } : {}, this.#ports);
    throw new Fault('LOGIN_FAILED', LOGIN_REFUSED);
  }

  /** The grant a secret stands for, or why there is none (for the log). */
  async #resolve(secret: string, origin: Origin): Promise<StoredGrant | string> {
    if (!looksLikeJwt(secret)) return grantOfPass(secret, this.#ports.grants);
    try {
      return await this.#tokens.grantOf(secret, origin);
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.code === 'TOKEN_INVALID') return reasonOf(thrown);
      throw thrown;
    }
  }
}

class GrantScram implements ScramExchange {
  readonly #grant: string;
  readonly #origin: Origin;
  readonly #server: ScramServer;
  readonly #ports: AuthenticatorPorts;

  constructor(grant: string, origin: Origin, certificate: Uint8Array | undefined, ports: AuthenticatorPorts) {
    this.#grant = grant;
    this.#origin = origin;
    this.#server = new ScramServer(certificate);
    this.#ports = ports;
  }

  async first(mechanism: string, message: string): Promise<string> {
    const { throttle, grants, random, gatewaySecret } = this.#ports;
    throttle.admit(this.#origin, this.#name);
    await this.#recordingFaults(() => this.#server.receive(mechanism, message));
    // An unknown id takes the same look-up and gets an answer of the same shape.
    const verifier = this.#name === undefined ? undefined : await grants.verifier(this.#name);
    const keys = verifier?.scram ?? mockScramKeys(this.#grant, gatewaySecret);
    return this.#server.challenge(keys, Buffer.from(random.bytes(18)).toString('base64'));
  }

  async final(message: string): Promise<{ readonly serverFinal: string; readonly login: Login } | Denial> {
    const verdict = await this.#recordingFaults(() => this.#server.verify(message));
    if ('wrong' in verdict) return this.#fail(verdict.wrong);
    const stored = await this.#ports.grants.load(this.#grant);
    if (!stored || currentOf(stored.chain).id !== this.#grant) return this.#fail('unknown');
    const login = await admit(stored, this.#server.bound ? 'channel' : 'scram', this.#origin, this.#ports);
    return 'effect' in login ? login : { serverFinal: verdict.serverFinal, login };
  }

  /** The id where it could be one; other text is not worth a place in the throttle or the log. */
  get #name(): string | undefined {
    return isId(this.#grant) ? this.#grant : undefined;
  }

  async #recordingFaults<T>(step: () => T): Promise<T> {
    try {
      return step();
    } catch (thrown) {
      if (thrown instanceof Fault) await this.#note(thrown.message);
      throw thrown;
    }
  }

  async #fail(reason: string): Promise<never> {
    await this.#note(reason);
    throw new Fault('LOGIN_FAILED', LOGIN_REFUSED);
  }

  async #note(reason: string): Promise<void> {
    this.#ports.throttle.failed(this.#origin, this.#name);
    await refused(reason, this.#origin, this.#name === undefined ? {} : { grant: this.#name }, this.#ports);
  }
}

/** The last step for a caller whose secret was right. */
async function admit(
  stored: StoredGrant,
  binding: Binding,
  origin: Origin,
  ports: AuthenticatorPorts,
): Promise<Login | Denial> {
  const { chain } = stored;
  const standing = standingOf(stored, ports.clock.now());
  if (standing === 'good') {
    await ports.audit.audit(
      eventOf('login.accepted', ports.clock, { ...chainFields(chain), binding, ...originFields(origin) }),
    );
    return { chain, binding };
  }
  await refused(standing, origin, chainFields(chain), ports);
  if (standing !== 'closed') throw new Fault('LOGIN_FAILED', LOGIN_REFUSED);
  return closedDenial(chain);
}

function closedDenial(chain: Chain): Denial {
  const last = Math.min(...chain.grants.map(({ connectBy }) => connectBy));
  return deny('grant-expired', `this pass could open sessions until ${new Date(last).toISOString()} only`, {
    hint: 'Ask whoever gave it to you for a new one; a longer connect_within keeps it open longer.',
  });
}

async function refused(
  reason: string,
  origin: Origin,
  about: Record<string, Json>,
  ports: Pick<AuthenticatorPorts, 'audit' | 'clock'>,
): Promise<void> {
  await ports.audit.audit(eventOf('login.refused', ports.clock, { ...about, reason, ...originFields(origin) }));
}
