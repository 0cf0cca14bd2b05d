import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { Envelope } from './envelope.ts';
import type { SealedStore } from './ports.ts';
import { Secret } from './secret.ts';

/** Where a secret is kept: `env:NAME`, `file:PATH` or `sealed:NAME`. */
export interface SecretReference {
  readonly scheme: 'env' | 'file' | 'sealed';
  readonly name: string;
}

const PATTERN = /^(env|file|sealed):(.+)$/s;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SEALED_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const MAX_BYTES = 64 * 1024;

/** Undefined for text that is not a reference. The text may be a secret that somebody wrote in the wrong place: do not print it. */
export function parseReference(text: string): SecretReference | undefined {
  const match = PATTERN.exec(text);
  const [, scheme, name] = match ?? [];
  if (name === undefined) return undefined;
  if (scheme === 'env') return ENV_NAME.test(name) ? { scheme, name } : undefined;
  if (scheme === 'sealed') return isSealedName(name) ? { scheme, name } : undefined;
  if (scheme === 'file') return name.includes('\0') ? undefined : { scheme, name };
  return undefined;
}

export function isSealedName(name: string): boolean {
  return SEALED_NAME.test(name);
}

export interface SecretSources {
  /** What `file:` paths are relative to: the directory of the configuration file. */
  readonly base: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sealed: Pick<SealedStore, 'get'>;
  readonly envelope: Envelope;
}

/** Throws Fault SECRET_UNAVAILABLE that names the reference; STORE_UNAVAILABLE from the store. */
export async function resolveSecret(reference: SecretReference, sources: SecretSources): Promise<Secret> {
  const { scheme, name } = reference;
  const label = `${scheme}:${name}`;
  switch (scheme) {
    case 'env': {
      const value = sources.env[name];
      if (value === undefined || value === '') throw missing(label, 'the environment variable is not set');
      return new Secret(label, value);
    }
    case 'file':
      return new Secret(label, await readSecretFile(resolve(sources.base, name), label));
    case 'sealed': {
      const sealed = await sources.sealed.get(name);
      if (!sealed)
        throw missing(label, `nothing is sealed under that name; seal it with: sallyport targets seal ${name}`);
      return new Secret(label, Buffer.from(sources.envelope.open(sealed, sealedContext(name))).toString('utf8'));
    }
  }
}

/** Encrypts a value for the store under a name; the name is bound to it. Throws Fault CONFIG_INVALID. */
export async function sealSecret(
  name: string,
  value: string,
  to: { readonly sealed: Pick<SealedStore, 'put'>; readonly envelope: Envelope; readonly by: string },
): Promise<void> {
  if (!isSealedName(name))
    throw new Fault('CONFIG_INVALID', 'a name has letters, digits, dots, dashes and underscores');
  if (value === '' || Buffer.byteLength(value) > MAX_BYTES) {
    throw new Fault('CONFIG_INVALID', `a secret has 1 to ${MAX_BYTES} bytes`);
  }
  const sealed = to.envelope.seal(Buffer.from(value), sealedContext(name));
  await to.sealed.put(name, sealed, { keyId: to.envelope.keyId, by: to.by });
}

/** One line break at the end is an editor's, not the secret's. */
async function readSecretFile(path: string, label: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_BYTES) throw new Error('it is too large');
    const text = (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
    if (text === '') throw new Error('it is empty');
    return text;
  } catch (cause) {
    throw missing(label, cause instanceof Error ? cause.message : 'it cannot be read');
  }
}

function sealedContext(name: string): string {
  return `sealed\n${name}`;
}

function missing(label: string, why: string): Fault {
  return new Fault('SECRET_UNAVAILABLE', `${label} cannot be read: ${why}`);
}
