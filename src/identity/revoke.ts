import type { Clock } from '../core/clock.ts';
import type { Revocation, RevocationSubject } from '../core/feed.ts';
import { type Chain, currentOf } from '../core/grant.ts';
import type { Origin } from '../core/login.ts';
import { type AuditSink, eventOf, originFields } from './event.ts';
import { grantOfPass } from './holder.ts';
import { parsePass } from './pass.ts';
import type { GrantStore, StoredGrant } from './ports.ts';
import type { Throttle } from './throttle.ts';

export interface RevokePorts {
  readonly grants: GrantStore;
  readonly audit: AuditSink;
  readonly throttle: Throttle;
  readonly clock: Clock;
}

/**
 * RFC 7009: whoever holds a pass may end it, and with it everything below, also when it has expired. Nothing is said
 * about a token that is not known. Throws Fault LOGIN_THROTTLED, STORE_UNAVAILABLE, EVIDENCE_UNWRITABLE.
 */
export async function revokePass(token: string, origin: Origin, ports: RevokePorts): Promise<void> {
  const id = parsePass(token)?.grant;
  ports.throttle.admit(origin, id);
  const stored = await grantOfPass(token, ports.grants);
  if (typeof stored === 'string') {
    ports.throttle.failed(origin, id);
    return;
  }
  const grant = currentOf(stored.chain).id;
  await revoke({ kind: 'grant', id: grant }, { by: `pass ${grant}`, reason: 'revoked by its holder', origin }, ports);
}

/**
 * Ends everything that has the subject in its chain. The caller has checked that `by` may. Descendants need no write:
 * they are dead by evaluation of their path.
 */
export async function revoke(
  subject: RevocationSubject,
  why: { readonly by: string; readonly reason: string; readonly origin: Origin },
  ports: Pick<RevokePorts, 'grants' | 'audit' | 'clock'>,
): Promise<Revocation> {
  // The revocation first: were the log unwritable, it must still bite. Asking again is harmless.
  const revocation = await ports.grants.revoke(subject, why.by, why.reason);
  const fields = {
    kind: subject.kind,
    subject: subject.id,
    by: why.by,
    reason: why.reason,
    ...originFields(why.origin),
  };
  await ports.audit.audit(eventOf('grant.revoked', ports.clock, fields));
  return revocation;
}

/** Whether the holder of `chain` may revoke `other`: its own grant and what grew below it, nothing beside or above. */
export function mayRevoke(chain: Chain, other: StoredGrant): boolean {
  return currentOf(other.chain).path.includes(currentOf(chain).id);
}
