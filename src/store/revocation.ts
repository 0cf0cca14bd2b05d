import { Fault } from '../core/fault.ts';
import type { Lift, Revocation, RevocationSubject } from '../core/feed.ts';
import type { RevocationsTable } from './schema.ts';

const KINDS = ['grant', 'principal', 'agent', 'login', 'session', 'target', 'membership'] as const;

/** What a revocation is about. A kind this release does not know it cannot enforce: Fault EVIDENCE_BROKEN. */
function subjectOf(kind: unknown, id: unknown, group: unknown): RevocationSubject {
  const known = KINDS.find((one) => one === kind);
  if (known === undefined) throw new Fault('EVIDENCE_BROKEN', `a revocation of an unknown kind: ${String(kind)}`);
  if (typeof id !== 'string') throw unreadable();
  if (known !== 'membership') return { kind: known, id };
  if (typeof group !== 'string') throw unreadable();
  return { kind: known, id, group };
}

/** A revocation as the feed carries it; where it ends with what was there, that is its own place. */
export interface Told {
  readonly subject: RevocationSubject;
  readonly by: string;
  readonly reason: string;
  readonly at: number;
  /** Absent in entries of earlier releases, whose revocations all last. */
  readonly lasting?: boolean;
  readonly lifted?: Lift;
}

export function parseRevocation(body: string, sequence: number): Revocation {
  const { subject, by, reason, at, lasting, lifted }: Told = JSON.parse(body);
  if (typeof at !== 'number') throw unreadable();
  return {
    subject: subjectOf(subject.kind, subject.id, subject.kind === 'membership' ? subject.group : undefined),
    by: String(by),
    reason: String(reason),
    at,
    until: lasting === false || lifted !== undefined ? sequence : undefined,
    lifted: lifted && { by: String(lifted.by), reason: String(lifted.reason), at: Number(lifted.at) },
  };
}

export function toRevocation(row: RevocationsTable): Revocation {
  const { by, reason, at, until, lifted_at, lifted_by, lifted_reason } = row;
  return {
    subject: subjectOf(row.kind, row.id, row.member_of),
    by,
    reason,
    at,
    until: until ?? undefined,
    lifted: lifted_at === null ? undefined : { at: lifted_at, by: lifted_by ?? '', reason: lifted_reason ?? '' },
  };
}

function unreadable(): Fault {
  return new Fault('EVIDENCE_BROKEN', 'a revocation that cannot be read');
}
