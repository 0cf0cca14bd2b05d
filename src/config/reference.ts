import { isAbsolute, join } from 'node:path';
import type { SecretReference } from './config.ts';

export const REFERENCE_WORDS = 'a secret reference: env:NAME, file:PATH or sealed:NAME';

const ENV = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const SEALED = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Reads `env:NAME`, `file:PATH` or `sealed:NAME`; undefined for anything else. Paths are taken from `directory`. */
export function parseReference(text: string, directory: string): SecretReference | undefined {
  const [scheme, name] = split(text);
  if (scheme === 'env' && ENV.test(name)) return { scheme, name };
  if (scheme === 'sealed' && SEALED.test(name)) return { scheme, name };
  if (scheme === 'file' && name !== '' && !name.includes('\0')) {
    return { scheme, name: isAbsolute(name) ? name : join(directory, name) };
  }
  return undefined;
}

function split(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? ['', text] : [text.slice(0, colon), text.slice(colon + 1)];
}
