import type { AheadRequest, AskedAhead } from '../control/ports.ts';
import { Fault } from '../core/fault.ts';
import { rootOf } from '../core/grant.ts';
import type { Operation } from '../core/operation.ts';
import type { CedarEngine } from '../policy/engine.ts';
import { decideSql } from '../policy/statement.ts';
import type { DataPlane } from './data-plane.ts';
import { systemClock } from './system.ts';
import type { Targets } from './targets.ts';

/**
 * Asks for a statement before anybody runs it: decided as a fresh session of the same chain would be, so that the
 * approval fits it there. Nothing is sent to the target but what reading its catalog takes.
 */
export function asker(
  { reader, catalogs, holds }: Pick<DataPlane, 'reader' | 'catalogs' | 'holds'>,
  targets: () => Targets,
  engine: CedarEngine,
): (request: AheadRequest) => Promise<AskedAhead> {
  return async ({ chain, target: name, database, role, sql, parameters, purpose, source, binding }) => {
    const wired = targets().get(name);
    if (wired === undefined) throw new Fault('TARGET_UNKNOWN', `there is no target ${name}`);
    const { target, limits } = wired;
    const { schemas } = await catalogs.get(name, database);
    const searchPath = ['pg_catalog', ...[role, 'public'].filter((schema) => schemas.includes(schema))];
    const scope = { target: name, database, role, searchPath, temporary: [], uncommitted: [] };
    const facts = await reader.as(rootOf(chain).principal.id).read(sql, scope);
    const operation: Operation = { protocol: 'postgres', text: sql, parameters, facts, database, role, searchPath };
    const { decision } = decideSql(engine, {
      chain,
      operation,
      target: { name, labels: target.labels, ...limits },
      context: { binding, source, now: systemClock.now() },
    });
    if (decision.effect !== 'hold') return { decision };
    const session = { id: undefined, chain, target, signal: new AbortController().signal };
    const { made } = await holds.ask(session, operation, decision, purpose);
    return { made };
  };
}
