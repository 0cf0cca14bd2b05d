import type { TargetConfig } from '../config/config.ts';
import { notFound } from './http-problem.ts';

interface Wish {
  readonly on: string;
  readonly role?: string;
}

/** Where a statement would run. */
export interface Place {
  readonly target: string;
  readonly database: string;
  readonly role: string;
}

/** `<target>` or `<target>.<database>`, as in a client's `database`. */
export function placeOf({ on, role }: Wish, targets: readonly TargetConfig[]): Place {
  const dot = on.indexOf('.');
  const name = dot < 0 ? on : on.slice(0, dot);
  const target = targets.find((candidate) => candidate.name === name);
  if (!target) throw notFound('target');
  const database = dot < 0 ? target.database : on.slice(dot + 1);
  if (!target.databases.includes(database)) throw notFound('database');
  if (role !== undefined && !target.roles.includes(role)) throw notFound('role');
  return { target: target.name, database, role: role ?? target.roles[0] ?? target.credential.user };
}
