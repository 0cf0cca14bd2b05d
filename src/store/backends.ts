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
        const { rows } = await sql<{ backends: string | null }>`
          select b.backends from nodes n left join backends b on b.node = n.node and b.worker = n.worker
          where n.left_at is null and n.seen_at >= now_ms() - ${SILENCE}
            and not (n.node = ${node} and n.worker = ${worker})`.execute(db);
        return { workers: rows.length, backends: rows.flatMap((row) => listOf(row.backends)) };
      }),
  };
}

function listOf(text: string | null): ToldBackend[] {
  const value: unknown = text === null ? [] : JSON.parse(text);
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown): ToldBackend[] => {
    const [key, gone]: unknown[] = Array.isArray(each) ? each : [];
    return typeof key === 'string' && typeof gone === 'number' ? [[key, gone]] : [];
  });
}
