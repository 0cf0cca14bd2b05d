import { chunksOf } from '../audit/chunks.ts';
import { readAudit } from '../audit/reader.ts';
import { readAlarms } from '../catalog/alarms.ts';
import type { BypassWatch } from '../catalog/bypass/watch.ts';
import { connectCatalog } from '../catalog/connection.ts';
import { bypassCounts } from '../control/bypass.ts';
import { explainer } from '../control/explain.ts';
import { startHealth } from '../control/health.ts';
import type { Archive, ControlPorts, Health, TargetTest } from '../control/ports.ts';
import { type Control, startControl } from '../control/server.ts';
import { localSocketPath } from '../control/socket-path.ts';
import type { SqlFacts } from '../core/facts.ts';
import { asFault, Fault } from '../core/fault.ts';
import { rootOf } from '../core/grant.ts';
import { textToSend } from '../data/sent-text.ts';
import { Exposition } from '../metrics/exposition.ts';
import { familiesOf, type Standing } from '../metrics/families.ts';
import type { CedarEngine } from '../policy/engine.ts';
import { readSession } from '../recording/replay.ts';
import { sealSecret } from '../secrets/reference.ts';
import { adoptionService, unfinished } from './adoption.ts';
import { asker } from './asking.ts';
import { changesOf } from './changes.ts';
import type { DataPlane } from './data-plane.ts';
import { discoverer } from './discovery.ts';
import type { Foundation } from './foundation.ts';
import type { WiredIdentity } from './identity.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import { slackDoor } from './slack.ts';
import { systemClock, systemRandom } from './system.ts';
import { credentialOf, type Targets } from './targets.ts';

export interface ControlPlaneParts {
  readonly version: string;
  readonly foundation: Foundation;
  readonly settings: () => Settings;
  readonly targets: () => Targets;
  readonly engine: CedarEngine;
  readonly identity: WiredIdentity;
  /** Reads catalogs and statements for `explain` and discovery; shared with the data plane's sessions. */
  readonly reading: Pick<DataPlane, 'reader' | 'catalogs' | 'holds' | 'postgres' | 'standing'>;
  readonly bypass: BypassWatch;
  readonly certificate: string;
  readonly key: string;
  readonly log: Log;
}

export interface ControlPlane {
  readonly control: Control;
  close(): Promise<void>;
}

export async function openControlPlane(parts: ControlPlaneParts): Promise<ControlPlane> {
  const { foundation, settings, targets, engine, identity, log } = parts;
  const { store, evidence, envelope } = foundation;
  const { config } = settings();
  const health = () => healthOf(parts);
  const ports: ControlPorts = {
    version: parts.version,
    clock: systemClock,
    random: systemRandom,
    config: () => settings().config,
    postgresPort: () => parts.reading.postgres,
    engine: () => engine,
    authenticator: identity.authenticator,
    tokens: identity.tokens,
    grants: store.grants,
    sessions: store.sessions,
    evidence,
    archive: archiveOf(foundation, log),
    deliveries: store.deliveries,
    slack: slackDoor({ settings, resolve: foundation.resolve, log }),
    approvals: {
      store: store.approvals,
      ask: asker(parts.reading, targets, engine),
      changes: () => changesOf(store.feed),
    },
    explain: explainer({
      clock: systemClock,
      config: () => settings().config,
      engine: () => engine,
      facts: async ({ chain, target, database, role, sql }): Promise<SqlFacts> =>
        await parts.reading.reader
          .as(rootOf(chain).principal.id)
          .read(sql, { target, database, role, searchPath: freshSearchPath(role), temporary: [], uncommitted: [] }),
      spell: textToSend,
    }),
    targets: {
      test: (name) => testTarget(name, targets(), foundation),
      discover: discoverer({ catalogs: parts.reading.catalogs, settings, targets, foundation }),
      seal: async (name, value, by) => {
        await sealSecret(name, value, { sealed: store.sealed, envelope, by });
      },
    },
    adoption: adoptionService(targets, foundation),
    bypass: parts.bypass,
    policiesSince: async () => (await store.versions.list('policy', 1))[0]?.at,
    health,
  };
  const control = await startControl({
    ports,
    https: config.listen.https,
    certificate: parts.certificate,
    key: parts.key,
    socket: localSocketPath(config.data),
    onFault: (fault, request) =>
      log.error('request failed', {
        code: fault.code,
        message: fault.message,
        request,
        cause: fault.cause instanceof Error ? fault.cause.message : undefined,
      }),
  });
  const metrics = new Exposition(async () => familiesOf(foundation.measures, await standingOf(parts)));
  const probes = await startHealth(config.listen.health, health, metrics).catch(async (thrown: unknown) => {
    await control.close();
    throw thrown;
  });
  return {
    control,
    close: async () => {
      await probes.close();
      await control.close();
    },
  };
}

/** What `current_schemas(true)` says in a session that changed nothing. */
function freshSearchPath(role: string): readonly string[] {
  return ['pg_catalog', role, 'public'];
}

function archiveOf({ evidenceDir, recordingKeys }: Foundation, log: Log): Archive {
  const broken = (file: string, fault: Fault) => log.error('evidence cannot be read', { file, message: fault.message });
  return {
    async *audit({ follow, ...query }, signal) {
      for await (const { event } of readAudit(evidenceDir, { ...query, follow, signal, broken })) yield event;
    },
    recording: (session) => readSession({ chunks: (id) => chunksOf(evidenceDir, id) }, session, recordingKeys),
  };
}

async function testTarget(name: string, targets: Targets, foundation: Foundation): Promise<TargetTest> {
  const began = systemClock.monotonic();
  const took = () => Math.round(systemClock.monotonic() - began);
  try {
    const wired = targets.get(name);
    if (wired === undefined) throw new Fault('TARGET_UNKNOWN', `there is no target ${name}`);
    const { target } = wired;
    const credential = await credentialOf(targets, name, target.roles[0] ?? '', foundation);
    const connection = await connectCatalog(target, target.database, { ...credential, backends: foundation.backends });
    try {
      const [row] = await connection.query('select pg_catalog.version() as version');
      const alarms = await readAlarms(connection, target.roles);
      const half = await unfinished(wired, foundation);
      const message = [`logged in: ${String(row?.['version'])}`, ...alarms, ...half].join('; ');
      return { ok: true, message, milliseconds: took() };
    } finally {
      await connection.end();
    }
  } catch (thrown) {
    const fault = asFault(thrown);
    const cause = fault.cause instanceof Error ? `: ${fault.cause.message}` : '';
    return { ok: false, message: `${fault.message}${cause}`, milliseconds: took() };
  }
}

async function standingOf(parts: ControlPlaneParts): Promise<Standing> {
  const { foundation, reading, version } = parts;
  const { ready } = await healthOf(parts);
  const evidence = foundation.evidence.standing();
  return { version, ready, evidence, feedAge: foundation.store.feed.age(), ...reading.standing() };
}

async function healthOf({ foundation, bypass }: ControlPlaneParts): Promise<Health> {
  const store = await foundation.store.now().then(
    () => ({ name: 'store', ok: true }),
    (thrown: unknown) => ({ name: 'store', ok: false, detail: asFault(thrown).code }),
  );
  const age = foundation.store.feed.age();
  const checks = [
    store,
    { name: 'feed', ok: age < 2_000, detail: `${Math.round(age)} ms old` },
    { name: 'evidence', ok: !foundation.evidence.stalled },
  ];
  return { ready: checks.every((check) => check.ok), checks, bypass: bypassCounts(bypass.states()) };
}
