import { sql } from 'kysely';
import type { FleetBackends, ToldBackend } from '../catalog/bypass/backends.ts';
import { type Db, guard } from './database.ts';
import { SILENCE } from './nodes.ts';

/** What one worker tells the others of its connections to targets. */
export function backendStore(db: Db, node: string, worker: number): FleetBackends {
  return {
    tell: (backends) =>
      guard(async () => {
        await sql`
          insert into backends (node, worker, backends, at)
          values (${node}, ${worker}, ${JSON.stringify(backends)}, now_ms())
          on conflict (node, worker) do update set backends = excluded.backends, at = excluded.at`.execute(db);
      }),
    others: () =>
      guard(async () => {
        const { rows } = await sql<Row>`
          select b.backends, coalesce(n.left_at, n.seen_at) as seen,
            n.left_at is null and n.seen_at >= now_ms() - ${SILENCE} as live
          from nodes n left join backends b on b.node = n.node and b.worker = n.worker
          where n.seen_at >= now_ms() - ${REMEMBERED} and not (n.node = ${node} and n.worker = ${worker})`.execute(db);
        return {
          workers: rows.filter(({ live }) => live).length,
          backends: rows.flatMap(({ backends, seen, live }) => listOf(backends, live ? 0 : seen)),
        };
      }),
    left: () =>
      guard(async () => {
        const { rows } = await sql<{ backends: string; now: number }>`
          select backends, now_ms() as now from backends where node = ${node} and worker = ${worker}`.execute(db);
        return rows.flatMap(({ backends, now }) => listOf(backends, now));
      }),
  };
}

interface Row {
  readonly backends: string | null;
  readonly seen: number;
  readonly live: boolean;
}

/** Milliseconds that the connections of a dead worker are remembered: their last statements may run on. */
const REMEMBERED = 24 * 3_600_000;

/** `gone`: when those were let go that their worker held to its end; 0 while it lives. */
function listOf(text: string | null, gone: number): ToldBackend[] {
  const value: unknown = text === null ? [] : JSON.parse(text);
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown): ToldBackend[] => {
    const [key, at]: unknown[] = Array.isArray(each) ? each : [];
    return typeof key === 'string' && typeof at === 'number' ? [[key, at === 0 ? gone : at]] : [];
  });
}
