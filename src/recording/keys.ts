import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { NewEntry } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';
import { PlainEntries } from './entries.ts';
import type { KeyWrap } from './ports.ts';

/*
 * Recordings: what a session asked, was told as masked, and was refused, encrypted so that it can be forgotten. Each
 * target has data keys of its own, a new one every month, sealed under the root key in one file each. Deleting the
 * file shreds every recording made under it, wherever copies of the evidence lie; the chain still verifies.
 *
 * This room encrypts and decrypts and puts a session together again. Where chunks lie is the audit room's business,
 * what the frames in them say is the reader's.
 */

const PERIOD = 30 * 24 * 3_600_000;
const KEY = 32;
const NONCE = 12;
/** Of one process, well below the 2^32 random nonces that NIST SP 800-38D §8.3 allows one key. */
const MOST_SEALS = 2 ** 30;
const TAG = 16;
const ID = /^[0-9a-f]{32}$/;

/** A key that seals chunks; the shape that the audit room's writer asks for. */
export interface RecordingKey {
  readonly id: string;
  begin(): {
    readonly length: number;
    add(entry: NewEntry, session: number): void;
    seal(context: Uint8Array): readonly Uint8Array[];
  };
}

export interface RecordingKeys {
  /** The key in use for a target, made and kept when there is none. Throws Fault SECRET_UNAVAILABLE. */
  key(target: string): RecordingKey;
  /**
   * Opens a chunk's body. Throws Fault SECRET_UNAVAILABLE where the key was shredded, EVIDENCE_BROKEN where the body
   * or what it is bound to was changed.
   */
  open(id: string, target: string, body: Uint8Array, context: Uint8Array): Uint8Array;
  list(): readonly ListedKey[];
  /** Deletes the keys of a target made before a time: what they sealed is gone for good. Answers their ids. */
  shred(target: string, before: number): readonly string[];
}

export interface ListedKey {
  readonly id: string;
  readonly target: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface KeyFile extends ListedKey {
  /** Base64. */
  readonly sealed: string;
}

export function recordingKeys(dir: string, wrap: KeyWrap, clock: Clock): RecordingKeys {
  const current = new Map<string, CurrentKey>();
  const secrets = new Map<string, Buffer>();

  const secretOf = (id: string, target: string): Buffer => {
    const known = secrets.get(id);
    if (known && existsSync(pathOf(dir, id))) return known;
    secrets.delete(id);
    const file = read(dir, id);
    if (!file) throw new Fault('SECRET_UNAVAILABLE', 'the key of this recording was deleted: it cannot be replayed');
    if (file.target !== target) throw new Fault('EVIDENCE_BROKEN', `key ${id} is not one of ${target}`);
    const secret = Buffer.from(wrap.open(Buffer.from(file.sealed, 'base64'), contextOf(id, target)));
    secrets.set(id, secret);
    return secret;
  };

  const make = (target: string, at: number): ListedKey => {
    const id = randomBytes(16).toString('hex');
    const secret = randomBytes(KEY);
    const sealed = Buffer.from(wrap.seal(secret, contextOf(id, target))).toString('base64');
    const file: KeyFile = { id, target, at, sealed };
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      // Flushed before it is used: a recording whose key was lost is lost.
      writeFileSync(pathOf(dir, id), JSON.stringify(file), { mode: 0o600, flag: 'wx', flush: true });
    } catch (cause) {
      throw new Fault('SECRET_UNAVAILABLE', `no key can be kept for recordings of ${target}`, { cause });
    }
    secrets.set(id, secret);
    return file;
  };

  return {
    key: (target) => {
      const now = clock.now();
      const known = current.get(target);
      if (known && isUsable(dir, known, now)) return known.key;
      const worn = known?.key.worn() ?? false;
      const young = listKeys(dir)
        .filter((key) => key.target === target && key.at <= now && now < key.at + PERIOD)
        .sort((a, b) => b.at - a.at)[0];
      const { id, at } = (worn ? undefined : young) ?? make(target, now);
      const key = sealingKey(id, secretOf(id, target));
      current.set(target, { key, until: at + PERIOD, checked: now });
      return key;
    },
    open: (id, target, body, context) => open(secretOf(id, target), body, context),
    list: () => listKeys(dir),
    shred: (target, before) => {
      const doomed = listKeys(dir).filter((key) => key.target === target && key.at < before);
      for (const { id } of doomed) {
        rmSync(pathOf(dir, id), { force: true });
        secrets.get(id)?.fill(0);
        secrets.delete(id);
      }
      current.delete(target);
      return doomed.map((key) => key.id);
    },
  };
}

interface SealingKey extends RecordingKey {
  /** It has sealed as much as it may. */
  readonly worn: () => boolean;
}

interface CurrentKey {
  readonly key: SealingKey;
  readonly until: number;
  /** When its file was last seen. */
  checked: number;
}

/** Another process may have shredded it; once a second is often enough to look, and this is the hot path. */
function isUsable(dir: string, known: CurrentKey, now: number): boolean {
  if (now >= known.until || known.key.worn()) return false;
  if (Math.abs(now - known.checked) < 1000) return true;
  known.checked = now;
  return existsSync(pathOf(dir, known.key.id));
}

function sealingKey(id: string, secret: Buffer): SealingKey {
  const own = createSecretKey(secret);
  let seals = 0;
  return {
    id,
    worn: () => seals >= MOST_SEALS,
    begin: () => {
      const entries = new PlainEntries();
      return {
        get length() {
          return entries.length;
        },
        add: (entry, session) => entries.add(entry, session),
        seal: (context) => {
          seals += 1;
          const nonce = nextNonce();
          const cipher = createCipheriv('aes-256-gcm', own, nonce).setAAD(context);
          const sealed = entries.take((plain) => cipher.update(plain));
          cipher.final();
          return [nonce, sealed, cipher.getAuthTag()];
        },
      };
    },
  };
}

/** Random nonces, asked for in bulk: one at a time costs more than the encryption of a small chunk. */
let nonces = Buffer.alloc(0);

function nextNonce(): Buffer {
  if (nonces.length < NONCE) nonces = randomBytes(256 * NONCE);
  const nonce = nonces.subarray(0, NONCE);
  nonces = nonces.subarray(NONCE);
  return nonce;
}

function open(secret: Buffer, body: Uint8Array, context: Uint8Array): Buffer {
  if (body.length < NONCE + TAG) throw new Fault('EVIDENCE_BROKEN', 'a chunk is too short');
  const decipher = createDecipheriv('aes-256-gcm', secret, body.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(context).setAuthTag(body.subarray(body.length - TAG));
  try {
    const plain = decipher.update(body.subarray(NONCE, body.length - TAG));
    decipher.final();
    return plain;
  } catch (cause) {
    throw new Fault('EVIDENCE_BROKEN', 'a chunk is not as it was written', { cause });
  }
}

function contextOf(id: string, target: string): string {
  return `recording-key\n${id}\n${target}`;
}

function pathOf(dir: string, id: string): string {
  return join(dir, `${id}.json`);
}

function listKeys(dir: string): ListedKey[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir).flatMap((name) => {
    const file = name.endsWith('.json') ? read(dir, name.slice(0, -'.json'.length)) : undefined;
    return file ? [{ id: file.id, target: file.target, at: file.at }] : [];
  });
}

/** Ids come from evidence files: nothing but an id reaches the file system. */
function read(dir: string, id: string): KeyFile | undefined {
  if (!ID.test(id) || !existsSync(pathOf(dir, id))) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(pathOf(dir, id), 'utf8'));
  } catch {
    return undefined;
  }
  return isKeyFile(value) && value.id === id ? value : undefined;
}

function isKeyFile(value: unknown): value is KeyFile {
  if (typeof value !== 'object' || value === null) return false;
  const { id, target, at, sealed }: Partial<Record<keyof KeyFile, unknown>> = value;
  return typeof id === 'string' && typeof target === 'string' && typeof at === 'number' && typeof sealed === 'string';
}
