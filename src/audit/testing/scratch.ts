import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { AuditEvent, NewEntry } from '../../core/evidence.ts';
import type { Fault } from '../../core/fault.ts';
import type { ChunkSealer } from '../ports.ts';
import { loadSigner } from '../signing.ts';
import { type VerifyReport, verifyEvidence } from '../verify.ts';
import { type ClosableWriter, openEvidence, type WriterOptions } from '../writer.ts';

export const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Seals nothing: bodies stand in the clear, so that tests can see them. */
export const openSealer: ChunkSealer = {
  key: (target) => KEYS[target] ?? made(target),
};
const KEYS: Record<string, ReturnType<ChunkSealer['key']>> = {};
function made(target: string): ReturnType<ChunkSealer['key']> {
  const key = {
    id: `key-${target}`,
    begin: () => {
      const bodies: Buffer[] = [];
      let length = 0;
      return {
        get length() {
          return length;
        },
        add: ({ body }: NewEntry) => {
          length += body.length;
          bodies.push(typeof body === 'string' ? Buffer.from(body) : Buffer.from(body));
        },
        seal: () => bodies,
      };
    },
  };
  KEYS[target] = key;
  return key;
}

export interface ScratchEvidence {
  readonly dir: string;
  readonly keys: string;
  readonly alarms: Fault[];
  open(more?: Partial<WriterOptions>): Promise<ClosableWriter>;
  verify(): Promise<VerifyReport>;
  remove(): void;
}

export function scratchEvidence(): ScratchEvidence {
  const root = mkdtempSync(join(tmpdir(), 'sallyport-evidence-'));
  const [dir, keys] = [join(root, 'evidence'), join(root, 'keys')];
  const alarms: Fault[] = [];
  return {
    dir,
    keys,
    alarms,
    open: (more = {}) =>
      openEvidence({
        dir,
        node: 'gw-1',
        worker: 1,
        durability: 'process',
        sealer: openSealer,
        signer: loadSigner(keys),
        clock: realClock,
        alarm: (fault) => alarms.push(fault),
        ...more,
      }),
    verify: () => verifyEvidence(dir, { publicKey: readFileSync(join(keys, 'evidence.pub'), 'utf8') }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export function anEvent(n: number, more: Record<string, string | number> = {}): AuditEvent {
  return { v: 1, type: 'operation.cleared', at: new Date(1_700_000_000_000 + n).toISOString(), n, ...more };
}

export function anEntry(n: number, session: string, target = 'shop'): Parameters<ClosableWriter['record']>[0] {
  return { session, target, kind: 'asked', sequence: n, at: 1_700_000_000_000 + n, body: Buffer.from(`select ${n}\n`) };
}
