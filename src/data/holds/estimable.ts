import type { SqlFacts } from '../../core/facts.ts';
import type { Operation } from '../../core/operation.ts';

const VERBS: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete']);

/**
 * Whether the target's planner may be asked about an operation before anybody approved it. Planning runs functions
 * that are marked immutable, so only vetted ones may be in it; and what a planner thinks of a labelled column says
 * something about its values.
 */
export function isEstimable({ facts, parameters }: Operation): boolean {
  const [statement, second] = facts.statements;
  if (statement === undefined || second !== undefined || (parameters?.length ?? 0) > 0) return false;
  const { verb, uses, names, copy, settings } = statement;
  const plain = names === undefined && copy === undefined && settings.length === 0;
  return plain && VERBS.has(verb) && uses.every(({ action }) => VERBS.has(action)) && !touchesLabels(facts);
}

export function touchesLabels({ statements }: SqlFacts): boolean {
  return statements.some(({ columns, bystanders = [] }) =>
    [...columns, ...bystanders].some(({ labels }) => labels.length > 0),
  );
}
