import { readFileSync } from 'node:fs';
import { watchConfig } from './config/watch.ts';
import { asFault } from './core/fault.ts';
import { CedarEngine } from './policy/engine.ts';
import { watchBypass } from './wiring/bypass.ts';
import { certificateOf } from './wiring/certificate.ts';
import { openControlPlane } from './wiring/control-plane.ts';
import { openDataPlane } from './wiring/data-plane.ts';
import { layFoundation, WORKER } from './wiring/foundation.ts';
import { wireIdentity } from './wiring/identity.ts';
import { createLog, type Log } from './wiring/log.ts';
import { openNotifications } from './wiring/notify.ts';
import { readSettings, type Settings, settingsOf } from './wiring/settings.ts';
import { systemClock } from './wiring/system.ts';
import { wireTargets } from './wiring/targets.ts';
import { serverTls } from './wiring/tls.ts';

/** A gateway that takes connections. */
export interface Running {
  /** Ports as bound: those that were given where 0 was asked for. */
  readonly ports: { readonly https: number; readonly postgres: number };
  /** PEM file that clients put into sslrootcert; undefined when the operator brought a certificate. */
  readonly ca: string | undefined;
  /** Resolves when it has stopped, whoever stopped it. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

const BEAT_EVERY = 2_000;

/**
 * Puts the rooms together and opens the ports, in an order that never takes a connection that could not be decided or
 * recorded. Throws Fault; whatever was opened is closed again then.
 */
export async function serve(options: { readonly config: string; readonly log?: Log }): Promise<Running> {
  const log = options.log ?? createLog();
  let settings = readSettings(options.config);
  const { config } = settings;
  const foundation = await layFoundation(config, log);
  const opened: (() => Promise<void>)[] = [() => foundation.close()];
  const closeAll = async () => {
    for (const close of opened.splice(0).toReversed()) {
      await close().catch((thrown: unknown) => log.error('not closed in order', { thrown: String(thrown) }));
    }
  };
  try {
    const { store, evidence } = foundation;
    const node = await store.nodes.register({
      node: config.node,
      worker: WORKER,
      version: VERSION,
      pid: process.pid,
      exclusive: true,
    });
    const lost = await store.sessions.abandon(config.node, WORKER);
    if (lost > 0) log.warn('sessions of an earlier run were marked as lost', { sessions: lost });
    const beat = setInterval(() => {
      node.beat().catch((thrown: unknown) => log.warn('no heartbeat', { code: asFault(thrown).code }));
    }, BEAT_EVERY);
    opened.push(async () => {
      clearInterval(beat);
      await node.leave();
    });

    let targets = await wireTargets(config, foundation.resolve);
    const engine = new CedarEngine(settings.policies);
    const identity = wireIdentity(config, foundation);
    const certificate = await certificateOf(config, foundation.resolve);
    const tls = serverTls(certificate.certificate, certificate.key);
    const at = () => new Date(systemClock.now()).toISOString();
    await evidence.audit({
      v: 1,
      type: 'node.start',
      at: at(),
      node: config.node,
      worker: WORKER,
      version: VERSION,
      pid: process.pid,
    });
    opened.push(() => evidence.audit({ v: 1, type: 'node.stop', at: at(), node: config.node, worker: WORKER }));
    await keepVersions(settings, foundation, 'start');

    const data = await openDataPlane({
      foundation,
      settings: () => settings,
      targets: () => targets,
      engine,
      auth: identity.authenticator,
      tls: () => tls,
      log,
    });
    opened.push(() => data.close());
    const bypass = watchBypass(() => targets, foundation);
    opened.push(() => bypass.close());
    const control = await openControlPlane({
      version: VERSION,
      foundation,
      settings: () => settings,
      targets: () => targets,
      engine,
      identity,
      reading: data,
      bypass,
      certificate: certificate.certificate,
      key: certificate.key,
      log,
    });
    opened.push(() => control.close());
    const notifications = openNotifications({ foundation, settings: () => settings, log });
    opened.push(() => notifications.close());

    /** Takes a changed configuration whole, or says what is wrong and keeps the one in force. */
    const reload = async (read: () => Settings): Promise<void> => {
      try {
        const next = read();
        const wired = await wireTargets(next.config, foundation.resolve);
        await keepVersions(next, foundation, 'file');
        identity.providers.replace(next.config.identity.providers);
        engine.load(next.policies);
        foundation.measures.reloads.taken += 1;
        targets = wired;
        settings = next;
        log.info('configuration loaded', {
          hash: next.hash,
          targets: wired.size,
          policies: next.policies.policies.length,
        });
      } catch (thrown) {
        const fault = asFault(thrown);
        foundation.measures.reloads.refused += 1;
        log.error('the changed configuration was not taken; the one before stays in force', {
          code: fault.code,
          problems: fault.message,
        });
      }
    };
    const watching = watchConfig(config, settings.hash, (reading) => void reload(() => settingsOf(reading)));
    opened.push(async () => watching.close());

    const { promise: closed, resolve: over } = Promise.withResolvers<void>();
    const close = async () => {
      await closeAll();
      over();
    };
    for (const warning of settings.warnings) log.warn(warning);
    log.info('ready', { postgres: data.postgres, https: control.control.https.port, targets: targets.size });
    return { ports: { https: control.control.https.port, postgres: data.postgres }, ca: certificate.ca, closed, close };
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

/** What is in force is in the store and in the audit log before it is in force. */
async function keepVersions(
  settings: Settings,
  { store, evidence }: Awaited<ReturnType<typeof layFoundation>>,
  by: string,
): Promise<void> {
  const at = new Date(systemClock.now()).toISOString();
  const config = await store.versions.save('config', readFileSync(settings.config.file, 'utf8'), by);
  const policy = await store.versions.save('policy', JSON.stringify(settings.files), by);
  await evidence.audit({ v: 1, type: 'config.loaded', at, version: config.version, hash: config.hash, by });
  await evidence.audit({
    v: 1,
    type: 'policy.loaded',
    at,
    version: policy.version,
    hash: policy.hash,
    by,
    policies: settings.policies.policies.map((one) => one.id),
  });
}

export const VERSION: string = readVersion();

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
