import { connectCatalog } from '../catalog/connection.ts';
import { estimateRows } from '../catalog/estimate.ts';
import type { Operation } from '../core/operation.ts';
import type { Foundation } from './foundation.ts';
import { credentialOf, type Targets } from './targets.ts';

/** Asks a target's planner on a connection of its own, made for it and closed again: few operations are held. */
export function estimator(
  targets: () => Targets,
  foundation: Foundation,
): (target: string, operation: Operation) => Promise<number | undefined> {
  return async (name, { database, role, searchPath, text }) => {
    const wired = targets().get(name);
    if (wired === undefined) return undefined;
    const credential = await credentialOf(targets(), name, role, foundation);
    const login = { ...credential, backends: foundation.backends, purpose: 'estimate' };
    const connection = await connectCatalog(wired.target, database, login);
    try {
      return await estimateRows(connection, text, { role: credential.role, searchPath });
    } finally {
      await connection.end();
    }
  };
}
