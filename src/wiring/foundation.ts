import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadSigner } from '../audit/signing.ts';
import { type ClosableWriter, openEvidence } from '../audit/writer.ts';
import { Backends } from '../catalog/bypass/backends.ts';
import type { Config, SecretReference } from '../config/config.ts';
import { Fault } from '../core/fault.ts';
import { Measures } from '../core/measures.ts';
import { type RecordingKeys, recordingKeys } from '../recording/keys.ts';
import { AdoptionRecords } from '../secrets/adoption/record.ts';
import { type Envelope, envelope } from '../secrets/envelope.ts';
import { resolveSecret, type SecretSources } from '../secrets/reference.ts';
import { loadRootKey, type RootKey } from '../secrets/root-key.ts';
import { openStore, type Store } from '../store/store.ts';
import type { Log } from './log.ts';
import { systemClock } from './system.ts';

/** What everything else stands on: keys, the store, evidence. */
export interface Foundation {
  readonly rootKey: RootKey;
  readonly envelope: Envelope;
  readonly store: Store;
  readonly evidence: ClosableWriter;
  readonly evidenceDir: string;
  readonly recordingKeys: RecordingKeys;
  /** The gateway's own connections to targets. */
  readonly backends: Backends;
  readonly adoptions: AdoptionRecords;
  /** What this worker counts of its own work. */
  readonly measures: Measures;
  /** Writes down that a sealed secret was opened. Throws Fault EVIDENCE_UNWRITABLE. */
  readonly opened: (name: string) => Promise<void>;
  /** Opens a secret reference of the configuration. Throws Fault SECRET_UNAVAILABLE. */
  readonly resolve: (reference: SecretReference) => Promise<string>;
  close(): Promise<void>;
}

/** Worker of this process; one is the smallest case. */
export const WORKER = 0;

export async function layFoundation(config: Config, log: Log): Promise<Foundation> {
  const keys = join(config.data, 'keys');
  mkdirSync(config.data, { recursive: true, mode: 0o700 });
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const rootKey = loadRootKey(keys);
  const sealer = envelope(rootKey);
  const evidenceDir = join(config.data, 'evidence');
  mkdirSync(evidenceDir, { recursive: true, mode: 0o700 });
  const recordings = recordingKeys(join(keys, 'recordings'), sealer, systemClock);

  const store = await openStore({
    at: config.store.kind === 'embedded' ? { embedded: config.data } : { url: await storeUrl(config, sealer) },
    integrityKey: rootKey.derive('grants'),
    clock: systemClock,
    alarm: (fault) => log.error('store', { code: fault.code, message: fault.message }),
  });
  try {
    const backends = new Backends({
      fleet: store.backends(config.node, WORKER),
      clock: systemClock,
      onProblem: (thrown) =>
        log.warn('other nodes cannot be told of connections to targets', { thrown: String(thrown) }),
    });
    await backends.inherit();
    const measures = new Measures();
    const evidence = await openEvidence({
      onWrite: (milliseconds) => measures.write.add(milliseconds),
      dir: evidenceDir,
      node: config.node,
      worker: WORKER,
      durability: config.evidence.durability,
      quickWrites: true,
      sealer: recordings,
      signer: loadSigner(keys),
      clock: systemClock,
      alarm: (fault) => log.error('evidence', { code: fault.code, message: fault.message }),
    });
    const opened = (name: string) => {
      const at = new Date(systemClock.now()).toISOString();
      return evidence.audit({ v: 1, type: 'secret.opened', at, name, node: config.node });
    };
    const sources: SecretSources = { base: config.directory, env: process.env, sealed: store.sealed, envelope: sealer };
    return {
      rootKey,
      envelope: sealer,
      store,
      evidence,
      evidenceDir,
      measures,
      recordingKeys: recordings,
      backends,
      opened,
      adoptions: new AdoptionRecords(store.sealed, sealer),
      resolve: async (reference) => {
        const secret = await resolveSecret(reference, sources);
        if (reference.scheme === 'sealed') await opened(reference.name);
        return secret.reveal();
      },
      close: async () => {
        backends.close();
        await evidence.close();
        await store.close();
      },
    };
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

/** A reference to the store's own address cannot be sealed in the store. */
async function storeUrl(config: Config, sealer: Envelope): Promise<string> {
  const { store } = config;
  if (store.kind === 'url') return store.url;
  if (store.kind !== 'reference') throw new Fault('CONFIG_INVALID', 'no store');
  const nothing = { get: () => Promise.resolve(undefined) };
  const sources = { base: config.directory, env: process.env, sealed: nothing, envelope: sealer };
  return (await resolveSecret(store.reference, sources)).reveal();
}
