import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Fault } from '../core/fault.ts';
import { type Db, guard } from './database.ts';

/** The workers of all nodes, by their own word. */
export interface NodeRegistry {
  /** Takes a worker's place. Throws Fault CONFLICT where another was heard of there in the last ten seconds. */
  register(worker: WorkerIdentity): Promise<Registration>;
  list(): Promise<readonly ListedWorker[]>;
}

export interface WorkerIdentity {
  readonly node: string;
  readonly worker: number;
  readonly version: string;
  readonly pid: number;
  /** True where a lock has shown that a predecessor is not alive: the place is taken at once. */
  readonly exclusive: boolean;
}

export interface Registration {
  /** To be called every two seconds or so. Throws Fault CONFLICT when another process has taken the place. */
  beat(): Promise<void>;
  leave(): Promise<void>;
}

export interface ListedWorker {
  readonly node: string;
  readonly worker: number;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly seenAt: number;
  /** Heard of in the last ten seconds and not gone. */
  readonly live: boolean;
}

/** Milliseconds after which a worker that says nothing counts as gone. */
export const SILENCE = 10_000;

export function nodeRegistry(db: Db): NodeRegistry {
  return {
    register: (worker) => guard(() => register(db, worker)),
    list: () => guard(() => list(db)),
  };
}

async function register(db: Db, worker: WorkerIdentity): Promise<Registration> {
  const { node, worker: number, version, pid, exclusive } = worker;
  const incarnation = randomUUID();
  const taken = await sql`
    insert into nodes (node, worker, incarnation, version, pid, started_at, seen_at, left_at)
    values (${node}, ${number}, ${incarnation}, ${version}, ${pid}, now_ms(), now_ms(), null)
    on conflict (node, worker) do update set incarnation = excluded.incarnation, version = excluded.version,
      pid = excluded.pid, started_at = excluded.started_at, seen_at = excluded.seen_at, left_at = null
    where ${exclusive} or nodes.left_at is not null or nodes.seen_at < now_ms() - ${SILENCE}
    returning 1`.execute(db);
  if (taken.rows.length === 0) {
    throw new Fault('CONFLICT', `another process is worker ${number} of node ${node}: give this node another name`);
  }
  const touch = (column: 'seen_at' | 'left_at') =>
    guard(async () => {
      const result = await sql`
        update nodes set ${sql.ref(column)} = now_ms()
        where node = ${node} and worker = ${number} and incarnation = ${incarnation}`.execute(db);
      if (result.numAffectedRows !== 1n) throw new Fault('CONFLICT', `worker ${number} of node ${node} was replaced`);
    });
  return { beat: () => touch('seen_at'), leave: () => touch('left_at') };
}

async function list(db: Db): Promise<readonly ListedWorker[]> {
  const rows = await db
    .selectFrom('nodes')
    .selectAll()
    .select(sql<boolean>`left_at is null and seen_at >= now_ms() - ${SILENCE}`.as('live'))
    .orderBy('node')
    .orderBy('worker')
    .execute();
  return rows.map((row) => ({
    node: row.node,
    worker: row.worker,
    version: row.version,
    pid: row.pid,
    startedAt: row.started_at,
    seenAt: row.seen_at,
    live: row.live,
  }));
}
