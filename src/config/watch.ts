import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Config } from './config.ts';
import { type Loaded, loadConfig } from './load.ts';
import { type PolicyFolder, readPolicies } from './policies.ts';

/** What an operator wrote, at one moment. */
export interface Reading {
  readonly loaded: Loaded;
  /** Undefined when the configuration does not say where they are. */
  readonly folder: PolicyFolder | undefined;
  /** SHA-256 over all of it, for the audit log and for telling two readings apart. */
  readonly hash: string;
}

export function readAll(file: string): Reading {
  const loaded = loadConfig(file);
  const folder = loaded.ok ? readPolicies(loaded.config.policies) : undefined;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([bytesOf(file), folder?.policies ?? null, folder?.problems ?? loaded]));
  return { loaded, folder, hash: hash.digest('hex') };
}

export interface Watching {
  close(): void;
}

/** Editors write in several steps; a reading waits until the file has been quiet this long. */
const QUIET_MS = 200;
/** Events get lost on network folders and in containers; a slow look makes up for it. */
const POLL_MS = 10_000;

/**
 * Calls `changed` when the content of the file or of the policies differs from `last`. A broken reading is told too:
 * the caller keeps what it has and says what is wrong. `changed` must not throw.
 */
export function watchConfig(config: Config, last: string, changed: (reading: Reading) => void): Watching {
  let known = last;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const reading = readAll(config.file);
    if (reading.hash === known) return;
    known = reading.hash;
    changed(reading);
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(look, QUIET_MS);
  };
  // Folders are watched, not files: editors replace a file by renaming another over it.
  const watchers = [
    watchFolder(dirname(config.file), (name) => name === null || name === basename(config.file), soon),
    watchFolder(config.policies, (name) => name === null || name.endsWith('.cedar'), soon),
  ];
  const poll = setInterval(look, POLL_MS);
  poll.unref();
  return {
    close() {
      clearTimeout(timer);
      clearInterval(poll);
      for (const watcher of watchers) watcher?.close();
    },
  };
}

function watchFolder(
  path: string,
  concerns: (name: string | null) => boolean,
  soon: () => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, (_event, name) => {
      if (concerns(name)) soon();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined; // the poll still looks
  }
}

function bytesOf(file: string): string {
  try {
    return readFileSync(file, 'base64');
  } catch {
    return '';
  }
}
