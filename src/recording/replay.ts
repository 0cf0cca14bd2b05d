import type { RecordingEntry } from '../core/evidence.ts';
import { Fault } from '../core/fault.ts';
import { decodeEntries } from './entries.ts';
import type { RecordingKeys } from './keys.ts';
import type { ChunkSource } from './ports.ts';

/**
 * A session's recording, in the order it was made, decrypted. Throws Fault NOT_FOUND when there is none,
 * SECRET_UNAVAILABLE when it can no longer be read, and EVIDENCE_BROKEN when it was changed.
 */
export async function* readSession(
  source: ChunkSource,
  session: string,
  keys: Pick<RecordingKeys, 'open'>,
): AsyncGenerator<RecordingEntry> {
  let isFound = false;
  for await (const { key, target, sessions, body, context } of source.chunks(session)) {
    if (!body) throw new Fault('SECRET_UNAVAILABLE', 'retention has dropped this recording: it cannot be replayed');
    const plain = keys.open(key, target, body, context);
    for (const entry of decodeEntries(plain, { target, sessions })) {
      if (entry.session !== session) continue;
      isFound = true;
      yield entry;
    }
  }
  if (!isFound) throw new Fault('NOT_FOUND', `there is no recording of session ${session}`);
}
