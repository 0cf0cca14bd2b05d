import type { Clock } from '../core/clock.ts';
import type { Json } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';
import { LIFTABLE, type Revocation, type RevocationSubject, strikeKey } from '../core/feed.ts';
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

/** Who wants it, and why. The caller has checked that they may. */
export interface Why {
  readonly by: string;
  readonly reason: string;
  readonly origin: Origin;
}

type Ports = Pick<RevokePorts, 'grants' | 'audit' | 'clock'>;

/**
 * Ends everything that has the subject in its chain, and whatever comes with it until this is lifted. Descendants need
 * no write: they are dead by evaluation of their path.
 */
export async function revoke(subject: RevocationSubject, why: Why, ports: Ports): Promise<Revocation> {
  return recorded(await ports.grants.revoke(subject, why.by, why.reason), why, ports);
}

/** The same for what there is now: who logs in anew is let in. */
export async function cut(subject: RevocationSubject, why: Why, ports: Ports): Promise<Revocation> {
  return recorded(await ports.grants.cut(subject, why.by, why.reason), why, ports);
}

/** The revocation comes first: were the log unwritable, it must still bite. Asking again is harmless. */
async function recorded(revocation: Revocation, why: Why, ports: Ports): Promise<Revocation> {
  const lasting = revocation.until === undefined;
  const fields = { ...subjectFields(revocation.subject), lasting, by: why.by, reason: why.reason };
  await ports.audit.audit(eventOf('grant.revoked', ports.clock, { ...fields, ...originFields(why.origin) }));
  return revocation;
}

/**
 * Lets new grants stand on the subject again; those of before stay dead. Lifting twice is harmless. Throws Fault
 * NOT_FOUND where nothing was revoked, and CONFLICT for what stays ended.
 */
export async function lift(subject: RevocationSubject, why: Why, ports: Ports): Promise<Revocation> {
  if (!LIFTABLE.some((kind) => kind === subject.kind)) {
    throw new Fault('CONFLICT', `a ${subject.kind} that was revoked stays ended: there is nothing to lift`);
  }
  const found = await ports.grants.revocations({ kinds: [subject.kind], ids: [subject.id] });
  const held = found.find((one) => strikeKey(one.subject) === strikeKey(subject));
  if (held === undefined) throw new Fault('NOT_FOUND', `this ${subject.kind} is not revoked`);
  if (held.until !== undefined) return held;
  // What lets somebody in is written down before it does.
  const fields = { ...subjectFields(subject), by: why.by, reason: why.reason, ...originFields(why.origin) };
  await ports.audit.audit(eventOf('revocation.lifted', ports.clock, fields));
  return (await ports.grants.lift(subject, why.by, why.reason)) ?? held;
}

function subjectFields(subject: RevocationSubject): Record<string, Json | undefined> {
  return { kind: subject.kind, subject: subject.id, group: subject.kind === 'membership' ? subject.group : undefined };
}

/** Whether the holder of `chain` may revoke `other`: its own grant and what grew below it, nothing beside or above. */
export function mayRevoke(chain: Chain, other: StoredGrant): boolean {
  return currentOf(other.chain).path.includes(currentOf(chain).id);
}
