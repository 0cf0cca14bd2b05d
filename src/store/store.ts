import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { DeliveryStore } from '../approvals/notify/ports.ts';
import type { ApprovalStore } from '../approvals/ports.ts';
import type { FleetBackends } from '../catalog/bypass/backends.ts';
import type { Spending } from '../core/budget.ts';
import type { Clock } from '../core/clock.ts';
import type { SessionDirectory } from '../core/directory.ts';
import type { Fault } from '../core/fault.ts';
import type { Feed } from '../core/feed.ts';
import type { GrantStore } from '../identity/ports.ts';
import type { SealedStore } from '../secrets/ports.ts';
import { approvalStore } from './approvals.ts';
import { backendStore } from './backends.ts';
import { asStoreFault, type DatabaseAddress, type Db, guard, openDatabase, sqlState, storeClock } from './database.ts';
import { deliveryStore } from './deliveries.ts';
import { type EmbeddedServer, startEmbedded } from './embedded.ts';
import { type FeedWriter, feedWriter, StoreFeed } from './feed.ts';
import { grantStore } from './grants.ts';
import { migrate } from './migrate.ts';
import { type NodeRegistry, nodeRegistry } from './nodes.ts';
import { sealedStore } from './sealed.ts';
import { sessionDirectory } from './sessions.ts';
import { spendingStore } from './spending.ts';
import { type Versions, versionStore } from './versions.ts';

/*
 * The store: what the gateways of one installation share and must agree on (grants, revocations, the list of sessions,
 * sealed secrets, versions of the configuration), in PostgreSQL, in one dialect and by one code path. By default the
 * server is our own child process on a unix socket below the data directory; several nodes share an external one.
 *
 * It implements the ports that other rooms declare, one file per aggregate. It is not evidence: audit events and
 * recordings are files (audit/), and nothing is proved by what a database says. It decides nothing, it has no cache
 * (whoever caches follows the feed), and it never sees a secret in the clear.
 *
 * Every method throws Fault STORE_UNAVAILABLE when the server cannot be reached or does not answer within seconds.
 */
export interface Store {
  readonly grants: GrantStore;
  readonly sessions: SessionDirectory;
  readonly feed: Feed;
  readonly announce: FeedWriter;
  readonly nodes: NodeRegistry;
  readonly sealed: SealedStore;
  readonly versions: Versions;
  readonly approvals: ApprovalStore;
  readonly deliveries: DeliveryStore;
  readonly spending: Spending;
  /** What a worker tells the others of its connections to targets. */
  readonly backends: (node: string, worker: number) => FleetBackends;
  /** Milliseconds since the epoch by the store's clock. */
  now(): Promise<number>;
  /** Ends the connections and stops the embedded server. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** `postgres://…` of an external server, or the data directory of an embedded one. */
  readonly at: { readonly url: string } | { readonly embedded: string };
  /** Authenticates the rows of grants; 32 bytes, the same on all nodes, never in the database. */
  readonly integrityKey: Uint8Array;
  readonly clock: Clock;
  /** Told why the feed cannot be read, once until it can be again. */
  readonly alarm?: (fault: Fault) => void;
  /** Most connections of the pool. */
  readonly connections?: number;
}

/** Throws Fault CONFLICT (directory in use, schema of a newer release) or STORE_UNAVAILABLE. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { at } = options;
  const server = 'embedded' in at ? await startEmbedded(at.embedded) : undefined;
  const address: DatabaseAddress = server ? server.connection : { url: 'url' in at ? at.url : '' };
  const db = openDatabase(address, options.connections ?? 8);
  try {
    await becomeReady(db);
    await guard(() => migrate(db));
    const feed = await StoreFeed.open(address, options.clock, options.alarm);
    return assemble(db, feed, options.integrityKey, server);
  } catch (error) {
    await db.destroy().catch(() => undefined);
    await server?.stop();
    throw asStoreFault(error);
  }
}

function assemble(db: Db, feed: Feed, integrityKey: Uint8Array, server: EmbeddedServer | undefined): Store {
  const tidying = setInterval(() => void tidy(db).catch(() => undefined), TIDY_EVERY);
  tidying.unref();
  return {
    grants: grantStore(db, integrityKey),
    sessions: sessionDirectory(db),
    feed,
    announce: feedWriter(db),
    nodes: nodeRegistry(db),
    sealed: sealedStore(db),
    versions: versionStore(db),
    approvals: approvalStore(db, integrityKey),
    deliveries: deliveryStore(db, integrityKey),
    spending: spendingStore(db),
    backends: (node, worker) => backendStore(db, node, worker),
    now: () => guard(() => storeClock(db)),
    close: async () => {
      clearInterval(tidying);
      await feed.close();
      await db.destroy().catch(() => undefined);
      await server?.stop();
    },
  };
}

const TIDY_EVERY = 600_000;
/** 45 days: longer than any request stays open, so that what was told of it can be told to have changed. */
const DELIVERIES_KEPT = 45 * 86_400_000;

/** Token ids are only of interest while their tokens are, deliveries while somebody may ask what became of them. */
async function tidy(db: Db): Promise<void> {
  await sql`delete from used_tokens where expires < now_ms() - 3600000`.execute(db);
  await sql`delete from deliveries where ended_at < now_ms() - ${DELIVERIES_KEPT}::int8`.execute(db);
}

/** A server that was not shut down in order takes a while to read its log (SQLSTATE 57P03, cannot_connect_now). */
async function becomeReady(db: Db): Promise<void> {
  for (let waited = 0; ; waited += 50) {
    try {
      await sql`select 1`.execute(db);
      return;
    } catch (error) {
      if (sqlState(error) !== '57P03' || waited > 60_000) throw asStoreFault(error);
      await sleep(50);
    }
  }
}
