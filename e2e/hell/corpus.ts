import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'hell');

/** What is kept for a decoder: one line of hex each, `#` begins a comment. Lines are never removed. */
export function corpusOf(decoder: string): Buffer[] {
  const lines = readFileSync(join(FOLDER, `${decoder}.hex`), 'utf8').split('\n');
  const hex = lines.map((line) => line.replace(/#.*/, '').replaceAll(' ', '')).filter((line) => line !== '');
  for (const line of hex) if (!/^(?:[0-9a-f]{2})+$/.test(line)) throw new Error(`${decoder}: not hex: ${line}`);
  return hex.map((line) => Buffer.from(line, 'hex'));
}

/** Decoders that something is kept for. */
export function corpora(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.hex'))
    .map((name) => name.slice(0, -'.hex'.length))
    .sort();
}
