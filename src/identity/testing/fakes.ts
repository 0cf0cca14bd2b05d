import { createHash } from 'node:crypto';
import type { Clock, Random } from '../../core/clock.ts';
import type { AuditEvent } from '../../core/evidence.ts';
import { Fault } from '../../core/fault.ts';
import { bites, LIFTABLE, type Revocation, type RevocationSubject, strikeKey } from '../../core/feed.ts';
import { type Chain, footholdsOf, type Grant } from '../../core/grant.ts';
import type { AuditSink } from '../event.ts';
import type { GrantFilter, GrantStore, ListedGrant, PassVerifier, RevocationFilter, StoredGrant } from '../ports.ts';

/** Time that stands still until a test moves it. */
export class StillClock implements Clock {
  time: number = Date.parse('2026-11-24T12:00:00Z');

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  advance(milliseconds: number): void {
    this.time += milliseconds;
  }
}

/** The same bytes in every run, different in every call. */
export class CountedRandom implements Random {
  #count = 0;

  bytes(length: number): Uint8Array {
    const seed = `${this.#count++}`;
    return createHash('shake256', { outputLength: length }).update(seed).digest();
  }
}

/** Keeps what was appended; refuses when told to. */
export class MemoryAudit implements AuditSink {
  readonly events: AuditEvent[] = [];
  broken: boolean = false;

  async audit(event: AuditEvent): Promise<void> {
    if (this.broken) throw new Fault('EVIDENCE_UNWRITABLE', 'no space');
    this.events.push(event);
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }

  last(): AuditEvent | undefined {
    return this.events.at(-1);
  }
}

/** The delegation tree in memory, with the rules that the port promises. */
export class MemoryGrants implements GrantStore {
  readonly grants: Map<string, { grant: Grant; verifier: PassVerifier; left: number | undefined }> = new Map();
  readonly struck: Revocation[] = [];
  readonly #clock: Clock;
  /** Stands in for the feed's head. */
  #sequence = 0;
  readonly #seen = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async insert(grant: Grant, verifier: PassVerifier): Promise<void> {
    if (this.grants.has(grant.id)) throw new Fault('CONFLICT', 'the grant exists');
    if (grant.parent !== undefined) {
      const parent = await this.load(grant.parent);
      const expires = parent?.chain.grants.at(-1)?.expires ?? 0;
      if (!parent || parent.revoked || expires <= this.#clock.now() || grant.expires > expires) {
        throw new Fault('GRANT_INVALID', 'the parent grant cannot have this child');
      }
    }
    this.grants.set(grant.id, { grant: { ...grant, born: this.#sequence }, verifier, left: grant.uses });
  }

  async load(id: string): Promise<StoredGrant | undefined> {
    const chain = this.#chain(id);
    return chain && { chain, revoked: this.#revocationOf(chain) };
  }

  async verifier(id: string): Promise<PassVerifier | undefined> {
    return this.grants.get(id)?.verifier;
  }

  async debit(path: readonly string[], count: number): Promise<{ exhausted: string } | 'debited'> {
    const finite = path.flatMap((id) => this.grants.get(id) ?? []).filter(({ left }) => left !== undefined);
    const short = finite.find(({ left }) => (left ?? 0) < count);
    if (short) return { exhausted: short.grant.id };
    for (const row of finite) row.left = (row.left ?? 0) - count;
    return 'debited';
  }

  async usesLeft(id: string): Promise<number | undefined> {
    return this.grants.get(id)?.left;
  }

  async revoke(subject: RevocationSubject, by: string, reason: string): Promise<Revocation> {
    return this.#strike({ subject, by, reason, at: this.#clock.now() }, subject.kind !== 'membership');
  }

  async cut(subject: RevocationSubject, by: string, reason: string): Promise<Revocation> {
    return this.#strike({ subject, by, reason, at: this.#clock.now() }, false);
  }

  async lift(subject: RevocationSubject, by: string, reason: string): Promise<Revocation | undefined> {
    if (!LIFTABLE.some((kind) => kind === subject.kind)) throw new Fault('CONFLICT', 'it stays ended');
    const known = this.#known(subject);
    if (!known || known.until !== undefined) return known;
    this.#sequence += 1;
    return this.#keep({ ...known, until: this.#sequence, lifted: { by, reason, at: this.#clock.now() } });
  }

  async revocations(filter: RevocationFilter): Promise<readonly Revocation[]> {
    return this.struck
      .filter(({ subject }) => filter.kinds === undefined || filter.kinds.includes(subject.kind))
      .filter(({ subject }) => filter.ids === undefined || filter.ids.includes(subject.id))
      .filter(({ until }) => !filter.lasting || until === undefined)
      .toReversed();
  }

  async knows(subject: RevocationSubject): Promise<boolean> {
    const key = strikeKey(subject);
    return [...this.grants.values()].some(({ grant }) =>
      footholdsOf({ grants: [grant] }).some((foothold) => strikeKey(foothold.subject) === key),
    );
  }

  async list(filter: GrantFilter): Promise<readonly ListedGrant[]> {
    return [...this.grants.values()]
      .filter(({ grant }) => filter.under === undefined || grant.path.includes(filter.under))
      .filter(({ grant }) => filter.principal === undefined || grant.principal.id === filter.principal)
      .slice(0, filter.limit)
      .map(({ grant, left }) => ({ grant, usesLeft: left, revoked: undefined }));
  }

  async once(issuer: string, tokenId: string): Promise<boolean> {
    const key = `${issuer} ${tokenId}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #chain(id: string): Chain | undefined {
    const path = this.grants.get(id)?.grant.path ?? [];
    const [root, ...rest] = path.flatMap((step) => this.grants.get(step)?.grant ?? []);
    return root && { grants: [root, ...rest] };
  }

  #revocationOf(chain: Chain): Revocation | undefined {
    const born = new Map(footholdsOf(chain).map((foothold) => [strikeKey(foothold.subject), foothold.born]));
    return this.struck.find((one) => {
      const key = strikeKey(one.subject);
      return born.has(key) && bites(one, born.get(key));
    });
  }

  #known(subject: RevocationSubject): Revocation | undefined {
    return this.struck.find((one) => strikeKey(one.subject) === strikeKey(subject));
  }

  #strike(revocation: Revocation, lasting: boolean): Revocation {
    const known = this.#known(revocation.subject);
    if (known !== undefined && known.until === undefined) return known;
    this.#sequence += 1;
    return this.#keep(lasting ? revocation : { ...revocation, until: this.#sequence });
  }

  #keep(revocation: Revocation): Revocation {
    const known = this.#known(revocation.subject);
    if (known !== undefined) this.struck.splice(this.struck.indexOf(known), 1);
    this.struck.push(revocation);
    return revocation;
  }
}
