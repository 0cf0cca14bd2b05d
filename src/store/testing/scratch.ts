import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { openStore, type Store } from '../store.ts';

export const TEST_KEY: Uint8Array = new Uint8Array(32).fill(7);

export const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A data directory below the system's temporary one; `remove` it when done. */
export function scratchDirectory(): { readonly path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export interface ScratchStore {
  readonly store: Store;
  readonly data: string;
  close(): Promise<void>;
}

/** A store on a real embedded server of its own. */
export async function scratchStore(): Promise<ScratchStore> {
  const { path, remove } = scratchDirectory();
  const store = await openStore({ at: { embedded: path }, integrityKey: TEST_KEY, clock: realClock });
  return {
    store,
    data: path,
    close: async () => {
      await store.close();
      remove();
    },
  };
}
