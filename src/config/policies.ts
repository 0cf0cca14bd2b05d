import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from './problem.ts';

const MAX_FILES = 500;
const MAX_BYTES = 1 << 20;

export interface PolicyFile {
  /** Name inside the folder; policies without an id are named after it. */
  readonly name: string;
  readonly text: string;
}

export interface PolicyFolder {
  /** `*.cedar`, by name. */
  readonly policies: readonly PolicyFile[];
  /** `*.test.yaml`, by name. */
  readonly tests: readonly PolicyFile[];
  readonly problems: readonly Problem[];
}

/** Reads the folder of policies. A file that cannot be read is a problem, never a policy less. */
export function readPolicies(directory: string): PolicyFolder {
  const problems: Problem[] = [];
  const note = (file: string, message: string): void => {
    problems.push({ severity: 'error', file, line: 1, column: 1, message });
  };
  let names: string[];
  try {
    names = readdirSync(directory).toSorted();
  } catch {
    note(directory, 'is not a readable folder of policies; "sallyport init" writes one');
    return { policies: [], tests: [], problems };
  }
  const wanted = names.filter((name) => name.endsWith('.cedar') || name.endsWith('.test.yaml'));
  if (wanted.length > MAX_FILES) note(directory, `has more than ${MAX_FILES} files`);
  const files = wanted.slice(0, MAX_FILES).flatMap((name): PolicyFile[] => {
    const path = join(directory, name);
    try {
      if (statSync(path).size > MAX_BYTES) {
        note(path, `is larger than ${MAX_BYTES} bytes`);
        return [];
      }
      return [{ name, text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) }];
    } catch (thrown) {
      note(path, thrown instanceof TypeError ? 'is not UTF-8 text' : 'cannot be read');
      return [];
    }
  });
  return {
    policies: files.filter((file) => file.name.endsWith('.cedar')),
    tests: files.filter((file) => file.name.endsWith('.test.yaml')),
    problems,
  };
}
