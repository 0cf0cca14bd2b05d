import { Fault } from '../core/fault.ts';
import type { Revocation, RevocationSubject } from '../core/feed.ts';

const KINDS = ['grant', 'principal', 'agent', 'login', 'session', 'target'] as const;

/** The kind as the types know it. What this release does not know it cannot enforce: Fault EVIDENCE_BROKEN. */
export function subjectKind(kind: unknown): RevocationSubject['kind'] {
  const known = KINDS.find((one) => one === kind);
  if (known === undefined) throw new Fault('EVIDENCE_BROKEN', `a revocation of an unknown kind: ${String(kind)}`);
  return known;
}

/** A revocation as the feed carries it. */
export function parseRevocation(body: string): Revocation {
  const { subject, by, reason, at }: Revocation = JSON.parse(body);
  if (typeof subject.id !== 'string' || typeof at !== 'number') {
    throw new Fault('EVIDENCE_BROKEN', 'a revocation that cannot be read');
  }
  return { subject: { kind: subjectKind(subject.kind), id: subject.id }, by: String(by), reason: String(reason), at };
}
