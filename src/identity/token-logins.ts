import { createHmac } from 'node:crypto';
import { Fault } from '../core/fault.ts';
import { base62, ID_LENGTH } from '../core/id.ts';
import type { Origin } from '../core/login.ts';
import { chainFields, eventOf, grantFields, originFields } from './event.ts';
import { type ExchangePorts, rootGrant } from './exchange.ts';
import { overtaken } from './overtaken.ts';
import { makeVerifier, mintPass, parsePass } from './pass.ts';
import type { StoredGrant } from './ports.ts';
import type { VerifiedToken } from './providers.ts';
import { rootTerms } from './terms.ts';
import { tokenFault } from './token-fault.ts';

export interface TokenLoginPorts extends ExchangePorts {
  /** Stable across restarts and equal on every node. */
  readonly gatewaySecret: Uint8Array;
}

/**
 * A token used as a password: a login in person, without an exchange before it. The token gets a root grant that ends
 * with it. The grant's id follows from the token, so that every connection opened with the same token, on whatever
 * node, shares the one grant, and revoking it ends them all and stays in force. Nobody holds the pass of such a grant.
 */
export class TokenLogins {
  readonly #ports: TokenLoginPorts;

  constructor(ports: TokenLoginPorts) {
    this.#ports = ports;
  }

  /** Verifies the token each time; only the grant is reused. Throws Fault TOKEN_INVALID. */
  async grantOf(token: string, origin: Origin): Promise<StoredGrant> {
    const { grants, providers, gatewaySecret } = this.#ports;
    const verified = await providers.verify(token, 'any');
    const id = grantIdOf(token, verified.issuedAt, gatewaySecret);
    const stored = (await grants.load(id)) ?? (await this.#made(id, verified, origin));
    const why = await overtaken(verified, grants);
    if (why !== undefined) throw tokenFault(`${why} after it was issued`);
    return stored;
  }

  async #made(id: string, verified: VerifiedToken, origin: Origin): Promise<StoredGrant> {
    const { grants } = this.#ports;
    try {
      await this.#issue(id, verified, origin);
    } catch (thrown) {
      // Another connection with the same token may have been a moment faster.
      const made = thrown instanceof Fault && thrown.code !== 'EVIDENCE_UNWRITABLE' ? await grants.load(id) : undefined;
      if (made) return made;
      throw thrown;
    }
    const stored = await grants.load(id);
    if (!stored) throw new Fault('INTERNAL', 'a grant that was made is gone');
    return stored;
  }

  async #issue(id: string, token: VerifiedToken, origin: Origin): Promise<void> {
    const { clock, random, grants, audit, lifetimes } = this.#ports;
    // It has no pass that could be handed on, so it delegates nothing; and it lasts as long as its token may.
    const asked = { expiresIn: undefined, connectWithin: undefined, uses: undefined, maxDepth: 0, delegable: false };
    const terms = rootTerms(asked, clock.now(), token.expires, { ...lifetimes, usual: lifetimes.most });
    if (Array.isArray(terms)) throw tokenFault(terms.join('; '));
    const grant = rootGrant(token, { id, caveats: {}, purpose: undefined, ...terms }, this.#ports);
    const secret = parsePass(mintPass(grant.id, random))?.secret;
    if (secret === undefined) throw new Fault('INTERNAL', 'a fresh pass does not parse');
    await grants.insert(grant, await makeVerifier(secret, random));
    const fields = { ...chainFields({ grants: [grant] }), ...grantFields(grant), token_id: token.tokenId };
    await audit.audit(eventOf('grant.issued', clock, { ...fields, as: 'login by token', ...originFields(origin) }));
  }
}

/** An id as core makes them: 48 bits of time and 80 that only this gateway can tell from the token. */
function grantIdOf(token: string, issuedAt: number, gatewaySecret: Uint8Array): string {
  // Without the signature: an ECDSA signature can be rewritten into a second one that is as good.
  const signed = token.slice(0, token.lastIndexOf('.'));
  const digest = createHmac('sha256', gatewaySecret).update(`token login ${signed}`).digest();
  const random = digest.subarray(0, 10).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const time = BigInt(Math.max(0, Math.trunc(issuedAt))) & 0xffff_ffff_ffffn;
  return base62((time << 80n) | random, ID_LENGTH);
}
