import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Random } from '../core/clock.ts';
import { base62, randomBase62 } from '../core/id.ts';
import type { PassVerifier } from './ports.ts';

/** A pass taken apart. `secret` is the SCRAM password: 32 random digits and the checksum. */
export interface Pass {
  readonly grant: string;
  readonly secret: string;
}

/** `slp_<grant id, 22>_<secret, 32><checksum, 6>`; docs/reference/contract.md. */
const PASS = /^slp_([0-9A-Za-z]{22})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

/** Characters of a pass. */
export const PASS_LENGTH = 65;

/** What PostgreSQL itself uses (SCRAM_SHA_256_DEFAULT_ITERATIONS). More adds nothing at 190 random bits. */
const ITERATIONS = 4096;
const SALT_LENGTH = 16;

const derive = promisify(pbkdf2);

/** A fresh pass for the grant. It exists nowhere else once the caller drops it. */
export function mintPass(grant: string, random: Random): string {
  const head = `slp_${grant}_${randomBase62(random, 32)}`;
  return head + checksum(head);
}

/** Undefined for anything that is not exactly a pass with a right checksum. Says nothing about whether it is known. */
export function parsePass(text: string): Pass | undefined {
  if (text.length !== PASS_LENGTH) return undefined;
  const [, grant, secret, sum] = PASS.exec(text) ?? [];
  if (grant === undefined || secret === undefined || sum === undefined) return undefined;
  if (checksum(`slp_${grant}_${secret}`) !== sum) return undefined;
  return { grant, secret: secret + sum };
}

/** The text with the secret of every pass in it, whole or cut short, replaced. The grant id stays: it is no secret. */
export function redactPasses(text: string): string {
  return text.replace(/slp_([0-9A-Za-z]{22})_[0-9A-Za-z]+/g, 'slp_$1_***');
}

/** What is kept of a pass: enough to verify it, not enough to make it. */
export async function makeVerifier(secret: string, random: Random): Promise<PassVerifier> {
  const salt = random.bytes(SALT_LENGTH);
  const salted = await derive(secret, salt, ITERATIONS, 32, 'sha256');
  return {
    sha256: sha256(secret),
    scram: {
      salt,
      iterations: ITERATIONS,
      storedKey: sha256(hmac(salted, 'Client Key')),
      serverKey: hmac(salted, 'Server Key'),
    },
  };
}

/**
 * Whether the secret is the one kept. Takes the same time for a wrong secret and for no verifier at all, so that it
 * cannot be used to find out which grants exist.
 */
export function matches(secret: string, verifier: PassVerifier | undefined): boolean {
  const given = sha256(secret);
  const equal = timingSafeEqual(given, verifier?.sha256 ?? new Uint8Array(given.length));
  return equal && verifier !== undefined;
}

/**
 * Keys for a grant id that does not exist. The same id gets the same salt at every node and after every restart, as
 * a real one would, and no proof can match.
 */
export function mockScramKeys(grant: string, gatewaySecret: Uint8Array): PassVerifier['scram'] {
  return {
    salt: hmac(gatewaySecret, `scram salt ${grant}`).subarray(0, SALT_LENGTH),
    iterations: ITERATIONS,
    storedKey: hmac(gatewaySecret, `scram stored key ${grant}`),
    serverKey: hmac(gatewaySecret, `scram server key ${grant}`),
  };
}

/** CRC-32 (IEEE) of everything before it, so that scanners can tell a pass from a lookalike without asking us. */
function checksum(head: string): string {
  return base62(BigInt(crc32(head)), 6);
}

function sha256(data: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest();
}

function hmac(key: Uint8Array, data: string): Uint8Array {
  return createHmac('sha256', key).update(data).digest();
}
