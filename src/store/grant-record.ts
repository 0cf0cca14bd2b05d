import { createHmac, timingSafeEqual } from 'node:crypto';
import { Fault } from '../core/fault.ts';
import { strikeKey } from '../core/feed.ts';
import { footholdsOf, type Grant } from '../core/grant.ts';
import type { PassVerifier } from '../identity/ports.ts';
import { canonical } from './canonical.ts';
import type { GrantsTable } from './schema.ts';

/**
 * How a grant lies in the store. `rec_hash` is an HMAC, under a key that is not in the database, over everything that
 * never changes, the parent's `rec_hash` included: whoever can write to the database can neither alter a grant, nor
 * exchange its verifier, nor hang it under another parent, without breaking its whole subtree.
 */
export type GrantRow = GrantsTable;

export function encodeGrant(
  grant: Grant,
  verifier: PassVerifier,
  { parent, born, key }: { readonly parent: GrantRow | undefined; readonly born: number; readonly key: Uint8Array },
): GrantRow {
  const row = {
    id: grant.id,
    parent: grant.parent ?? null,
    path: [...grant.path],
    principal: grant.principal.id,
    strikes: [...new Set([...(parent?.strikes ?? []), ...strikesOf(grant)])],
    created_at: grant.createdAt,
    expires: grant.expires,
    uses_left: grant.uses ?? null,
    record: canonical(grant),
    verifier: canonical(encodeVerifier(verifier)),
    born,
    par_hash: parent?.rec_hash ?? null,
  };
  return { ...row, rec_hash: hashOf(row, key) };
}

/** Throws Fault EVIDENCE_BROKEN when the row is not as it was written, or does not hang under `parent`. */
export function decodeGrant(row: GrantRow, parent: GrantRow | undefined, key: Uint8Array): Grant {
  if (!timingSafeEqual(hashOf(row, key), padded(row.rec_hash))) throw broken(row.id, 'it is not as it was written');
  const link = parent?.rec_hash;
  if (link ? !(row.par_hash && link.equals(row.par_hash)) : row.par_hash !== null) {
    throw broken(row.id, 'it does not belong to its parent');
  }
  return { ...parseRecord(row.record), ...(row.born === null ? {} : { born: row.born }) };
}

export function decodeVerifier(row: GrantRow): PassVerifier {
  const value: StoredVerifier = JSON.parse(row.verifier);
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
  const { salt, iterations, storedKey, serverKey } = value.scram;
  return {
    sha256: bytes(value.sha256),
    scram: { salt: bytes(salt), iterations, storedKey: bytes(storedKey), serverKey: bytes(serverKey) },
  };
}

function strikesOf(grant: Grant): string[] {
  return footholdsOf({ grants: [grant] }).map(({ subject }) => strikeKey(subject));
}

interface StoredVerifier {
  readonly sha256: string;
  readonly scram: {
    readonly salt: string;
    readonly iterations: number;
    readonly storedKey: string;
    readonly serverKey: string;
  };
}

function encodeVerifier(verifier: PassVerifier): StoredVerifier {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const { salt, iterations, storedKey, serverKey } = verifier.scram;
  return {
    sha256: text(verifier.sha256),
    scram: { salt: text(salt), iterations, storedKey: text(storedKey), serverKey: text(serverKey) },
  };
}

/** Absent fields of the JSON are `undefined` fields of the type. The text's authenticity was checked before. */
function parseRecord(record: string): Grant {
  const grant: Grant = JSON.parse(record);
  const { parent, agent, uses, purpose, login, ...rest } = grant;
  return {
    ...rest,
    parent,
    agent,
    uses,
    purpose,
    login: login && { provider: login.provider, session: login.session },
  };
}

function hashOf(row: Omit<GrantRow, 'rec_hash'>, key: Uint8Array): Buffer {
  const { id, parent, path, principal, strikes, created_at, expires, record, verifier, born, par_hash } = row;
  // Rows of earlier releases have no `born`, and were hashed without one.
  const age = born === null ? {} : { born };
  const fixed = { id, parent, path, principal, strikes, created_at, expires, record, verifier, ...age };
  return createHmac('sha256', key)
    .update(canonical({ ...fixed, par_hash: par_hash?.toString('base64') ?? null }))
    .digest();
}

function padded(hash: Buffer): Buffer {
  return hash.length === 32 ? hash : Buffer.alloc(32);
}

function broken(id: string, why: string): Fault {
  return new Fault('EVIDENCE_BROKEN', `grant ${id}: ${why}`);
}
