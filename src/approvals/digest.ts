import { createHash } from 'node:crypto';
import type { ApprovalRule } from '../core/approval.ts';
import type { SqlFacts } from '../core/facts.ts';
import { agentsOf, type Chain, rootOf } from '../core/grant.ts';
import type { Operation, Parameter } from '../core/operation.ts';

/** Where and as what an operation would run. */
export interface Setting {
  readonly chain: Chain;
  readonly target: string;
  readonly searchPath: readonly string[];
  /** Of the policies that hold it: what they say, not what they are called. */
  readonly policies: string;
  /** Approval rules that must be granted, as they are now: what an earlier wording asked for does not count. */
  readonly rules: readonly ApprovalRule[];
}

/**
 * SHA-256, hex, of exactly what would happen: the statement's bytes, parameters with their formats, facts with the
 * ids of the objects, target, database, role and search path, on whose behalf and by which agents, in which
 * transaction of the chain, and what held it. Not the grants: a fresh pass of the same agents may try again.
 */
export function digestOf(operation: Operation, setting: Setting): string {
  const { text, parameters, facts, runs } = operation;
  const named = runs === undefined ? null : [runs.text, given(runs)];
  return hash(['sallyport effect 1', text, given({ parameters }), named, facts, ...surroundings(operation, setting)]);
}

/** The same for every statement that differs in literals only; undefined for one that does more than read. */
export function alikeOf(operation: Operation, setting: Setting): string | undefined {
  if (!readsOnly(operation.facts)) return undefined;
  return hash(['sallyport reads 1', operation.facts.fingerprint, ...surroundings(operation, setting)]);
}

const READS: ReadonlySet<string> = new Set(['select', 'introspect', 'empty']);

/** The same for whatever is held here for these reasons. */
export function aroundOf(operation: Operation, setting: Setting): string {
  return hash(['sallyport window 1', ...surroundings(operation, setting)]);
}

export function readsOnly({ statements }: SqlFacts): boolean {
  return statements.every(
    ({ verb, uses, settings, names }) =>
      READS.has(verb) &&
      uses.every(({ action }) => action === 'select' || action === 'introspect') &&
      settings.length === 0 &&
      names === undefined,
  );
}

function surroundings({ protocol, database, role }: Operation, setting: Setting): readonly unknown[] {
  const { chain, target, searchPath, policies, rules } = setting;
  const root = rootOf(chain);
  const agents = agentsOf(chain).map(({ id, assurance }) => [id, assurance]);
  return [protocol, target, database, role, searchPath, root.principal.id, root.transaction, agents, policies, rules];
}

function given({ parameters }: Pick<Operation, 'parameters'>): readonly unknown[] | null {
  return parameters?.map(spelled) ?? null;
}

function spelled(parameter: Parameter): unknown {
  if (parameter === null || typeof parameter === 'string') return parameter;
  return { binary: Buffer.from(parameter).toString('base64') };
}

/** JSON keeps apart what differs: strings are quoted, lists have their ends. Facts are made in one place, their keys in one order. */
function hash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
