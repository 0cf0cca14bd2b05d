import { createHmac } from 'node:crypto';
import { Announcer } from '../catalog/announcer.ts';
import { Catalogs } from '../catalog/catalogs.ts';
import { connectCatalog } from '../catalog/connection.ts';
import type { FeedEntry } from '../core/feed.ts';
import type { Authenticator } from '../core/login.ts';
import { Budgets } from '../data/budgets.ts';
import { Door } from '../data/door.ts';
import { Holds } from '../data/holds/holds.ts';
import { Leases } from '../data/leases.ts';
import { Listener } from '../data/listener.ts';
import { CachedReader } from '../data/reader/reader.ts';
import { Readings } from '../data/reader/readings.ts';
import { Registry } from '../data/registry.ts';
import { Revocations } from '../data/revocations.ts';
import type { ServerTls } from '../drivers/pipe.ts';
import { CancelDesk } from '../drivers/postgres/cancel.ts';
import { PostgresDriver } from '../drivers/postgres/driver.ts';
import { Welcomes } from '../drivers/postgres/welcome.ts';
import type { Standing } from '../metrics/families.ts';
import type { CedarEngine } from '../policy/engine.ts';
import { estimator } from './estimating.ts';
import { type Foundation, WORKER } from './foundation.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import { systemClock, systemRandom } from './system.ts';
import { credentialOf, type Targets } from './targets.ts';

export interface DataPlaneParts {
  readonly foundation: Foundation;
  readonly settings: () => Settings;
  readonly targets: () => Targets;
  readonly engine: CedarEngine;
  readonly auth: Authenticator;
  readonly tls: () => ServerTls;
  readonly log: Log;
}

export interface DataPlane {
  readonly catalogs: Catalogs;
  readonly reader: CachedReader;
  readonly registry: Registry;
  readonly holds: Holds;
  /** Port the PostgreSQL listener is on. */
  readonly postgres: number;
  /** What is so now, for metrics. */
  standing(): DataStanding;
  /** Ends sessions first, then listeners and connections. */
  close(): Promise<void>;
}

export type DataStanding = Pick<Standing, 'sessions' | 'connections' | 'held' | 'upstream' | 'reader' | 'revocations'>;

export async function openDataPlane(parts: DataPlaneParts): Promise<DataPlane> {
  const { foundation, settings, targets, engine, log } = parts;
  const { store, evidence, rootKey, backends, measures } = foundation;
  const maskKey = rootKey.derive('masks');

  const readings = new Readings(systemClock);
  const catalogs = new Catalogs({
    connect: async (name, database) => {
      const wired = targets().get(name);
      const [role = ''] = wired?.target.roles ?? [];
      const credential = await credentialOf(targets(), name, role, foundation);
      if (wired === undefined) throw new Error(`no target ${name}`);
      return await connectCatalog(wired.target, database, { ...credential, backends });
    },
    rules: (name) => targets().get(name)?.config,
    trace: (definitions, catalog) => readings.common.trace(definitions, catalog),
    clock: systemClock,
    onProblem: (target, database, problem) => log.warn('catalog', { target, database, problem }),
  });
  const reader = new CachedReader(catalogs, readings, systemClock, (target, milliseconds) =>
    measures.of(target).parse.add(milliseconds),
  );
  const announcer = new Announcer({
    tell: (target, database) => store.announce.catalogChanged(target, database),
    onProblem: (thrown) => log.warn('a changed catalog cannot be announced yet', { thrown: String(thrown) }),
  });
  const registry = new Registry();
  const revocations = new Revocations(store.feed, registry, settings().config.feedGrace * 1_000, (entry: FeedEntry) => {
    if (entry.kind === 'catalog' && announcer.heard(entry.target, entry.database))
      catalogs.changed(entry.target, entry.database);
  });
  // Grants bring their revocations along when they are loaded; what is known of targets is known here alone.
  revocations.recall(await store.grants.revocations({ kinds: ['target'] }));

  const holds = new Holds({
    store: store.approvals,
    feed: store.feed,
    clock: systemClock,
    random: systemRandom,
    engine,
    rules: () => settings().config.approvals.rules,
    estimate: estimator(targets, foundation),
    patience: () => settings().config.approvals.holdWait * 1_000,
  });
  const leases = new Leases();
  const door = new Door({
    clock: systemClock,
    random: systemRandom,
    node: settings().config.node,
    worker: WORKER,
    target: (name) => targets().get(name),
    engine,
    reader: (principal) => {
      const own = reader.as(principal);
      return {
        read: (text, scope) => own.read(text, scope),
        changed: (target, database) => {
          own.changed(target, database);
          announcer.changed(target, database);
        },
      };
    },
    evidence,
    directory: store.sessions,
    registry,
    revocations,
    leases,
    measures,
    budgets: new Budgets(store.spending, systemClock),
    debit: (path, count) => store.grants.debit(path, count),
    ask: (session, operation, hold) => holds.ask(session, operation, hold),
    credential: (target, role) => credentialOf(targets(), target, role, foundation),
    hasher: (principal, label) => {
      const key = createHmac('sha256', maskKey)
        .update(JSON.stringify([principal, label]))
        .digest();
      return (bytes) => createHmac('sha256', key).update(bytes).digest();
    },
  });

  const driver = new PostgresDriver(parts.tls, {
    cancels: new CancelDesk(WORKER),
    welcomes: new Welcomes(),
    backends,
  });
  const listener = new Listener(
    driver,
    {
      auth: parts.auth,
      sessions: door,
      limits: () => settings().config.limits,
      measures,
      onBug: (thrown) => log.error('bug', { thrown: thrown instanceof Error ? thrown.stack : String(thrown) }),
      // What clients do wrong is in the audit log, where it was recorded, or nowhere: a flood of it is theirs to pay for.
      onFault: ({ code, message }, source) => {
        if (!/^(PROTOCOL|LOGIN|TOKEN)_|^ABORTED$/.test(code))
          log.warn('a connection failed', { code, message, source });
      },
    },
    settings().config.listen.postgres,
  );
  const postgres = await listener.listen();
  return {
    catalogs,
    reader,
    registry,
    holds,
    postgres,
    standing: () => ({
      sessions: registry.size,
      connections: listener.connections,
      held: holds.waiting,
      upstream: leases.standing(),
      reader: readings.standing(),
      revocations: revocations.count,
    }),
    close: async () => {
      registry.stopAll({ cause: 'shutdown', message: 'the gateway is shutting down' });
      await listener.close();
      announcer.close();
      holds.close();
      revocations.close();
      await readings.close();
      await catalogs.close();
    },
  };
}
