import { readFileSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { buildConfig } from './build.ts';
import type { Config } from './config.ts';
import { readDocument } from './document.ts';
import { Notes } from './notes.ts';
import type { Path, Problem } from './problem.ts';
import { asRaw, misfits } from './validate.ts';

export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const MAX_BYTES = 1 << 20;

/** Reads a configuration file. Everything wrong with it is told at once; an unreadable file is a problem like others. */
export function loadConfig(path: string): Loaded {
  const file = resolve(path);
  const name = displayName(file);
  const unreadable = (message: string): Loaded => ({
    ok: false,
    problems: [{ severity: 'error', file: name, line: 1, column: 1, message }],
  });
  try {
    const { size } = statSync(file);
    if (size > MAX_BYTES) return unreadable(`is larger than ${MAX_BYTES} bytes`);
    return parseConfig(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)), file);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return unreadable('does not exist; "sallyport init" writes one');
    if (thrown instanceof TypeError) return unreadable('is not UTF-8 text');
    return unreadable(`cannot be read (${code ?? 'unknown'})`);
  }
}

/** The same for text that is already here; `file` says where relative paths start. */
export function parseConfig(text: string, file: string): Loaded {
  const absolute = resolve(file);
  const document = readDocument(text);
  const notes = new Notes(displayName(absolute), document);
  for (const error of document.errors) notes.say('error', error, error.message);
  if (document.errors.length > 0) return { ok: false, problems: notes.problems() };

  const found = misfits(document.value);
  for (const { path, key, message } of found)
    notes.say('error', key ? document.keyAt(path) : document.at(path), message);
  if (found.some(({ path }) => path.length === 0)) return { ok: false, problems: notes.problems() };
  // What does not fit is left out of the building, so that the rest is looked at in the same run.
  const broken = (path: Path): boolean =>
    found.some((misfit) => path.every((part, index) => misfit.path[index] === part));
  const config = buildConfig(asRaw(document.value), { file: absolute, notes, broken });
  const problems = notes.problems();
  if (problems.some((problem) => problem.severity === 'error')) return { ok: false, problems };
  return { ok: true, config: freeze(config), warnings: problems };
}

/** Relative to where the reader is, unless it lies elsewhere. */
function displayName(file: string): string {
  const near = relative(process.cwd(), file);
  return near.startsWith('..') ? file : near;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
