import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '../core/fault.ts';

/*
 * Secrets: the root key, what is sealed under it, references to secrets kept elsewhere, and the gateway's own
 * certificate. A secret leaves this room as a `Secret` (which prints as its name) or as bytes for the one place that
 * uses it. Nothing here logs, and no message contains a value.
 */

/** 256 bits that everything sealed depends on. Never used as a key itself, only to derive keys. */
export interface RootKey {
  /** 16 hex digits that name it and tell nothing of it. */
  readonly id: string;
  /** 32 bytes for one purpose, always the same. */
  derive(purpose: string): Buffer;
}

const BYTES = 32;
const VARIABLE = 'SALLYPORT_ROOT_KEY';

/**
 * The root key: from the environment variable SALLYPORT_ROOT_KEY when it is set (64 hex digits or base64 of 32 bytes),
 * else from `<keys>/root.key` (0600), which is made at the first start. Throws Fault SECRET_UNAVAILABLE, also for a
 * file that others may read.
 */
export function loadRootKey(keys: string, env: Readonly<Record<string, string | undefined>> = process.env): RootKey {
  const given = env[VARIABLE];
  if (given !== undefined && given !== '') return rootKey(decode(given, VARIABLE));
  const path = join(keys, 'root.key');
  try {
    if (!existsSync(path)) create(path);
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0) throw new Fault('SECRET_UNAVAILABLE', `${path} may be read by others: chmod 600 it`);
    return rootKey(decode(readFileSync(path, 'utf8'), path));
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('SECRET_UNAVAILABLE', `the root key (${path}) cannot be read`, { cause });
  }
}

export function rootKey(bytes: Uint8Array): RootKey {
  const secret = Buffer.from(bytes);
  const id = createHash('sha256').update(deriveKey(secret, 'root key id')).digest('hex').slice(0, 16);
  return {
    id,
    derive: (purpose) => deriveKey(secret, purpose),
  };
}

/** One key per purpose from one secret (RFC 5869). */
function deriveKey(secret: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), `sallyport ${purpose} 1`, 32));
}

/** Losing it loses every sealed secret and every recording: the file is flushed before anything depends on it. */
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, `${randomBytes(BYTES).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    // Another process of this gateway was first.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function decode(text: string, from: string): Buffer {
  const trimmed = text.trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (bytes.length === BYTES) return bytes;
  throw new Fault('SECRET_UNAVAILABLE', `${from} does not hold a root key (64 hex digits, or base64 of 32 bytes)`);
}
