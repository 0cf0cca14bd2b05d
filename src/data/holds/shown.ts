import type { AskedEffect } from '../../core/approval.ts';
import type { Hold } from '../../core/decision.ts';
import type { SqlFacts } from '../../core/facts.ts';
import type { Operation, Parameter } from '../../core/operation.ts';
import { resourceId } from '../../core/resource.ts';
import { DETECTORS, Scanner } from '../../masking/detectors/scanner.ts';
import { secretless } from '../secretless.ts';
import { touchesLabels } from './estimable.ts';

/** Longer statements are cut for people; the recording has them whole. */
const MOST = 8_192;
/** Verbs whose literals may be secrets (PASSWORD '…') or code. */
const CLOSED: ReadonlySet<string> = new Set(['admin', 'opaque', 'session']);

const reaction = { ['then' as const]: 'mask' } as const;
const scanner = new Scanner([Object.assign({ kind: 'detect' as const, detectors: DETECTORS }, reaction)]);

/**
 * What an approver sees of an operation. Its literals and parameters are part of the effect, so they are shown, except
 * where a labelled column is touched, or the statement may hold a secret: then only its shape is. What detectors find
 * is covered either way.
 */
export function shown(operation: Operation, target: string, { message, policies }: Hold): AskedEffect {
  const { text, parameters, facts, runs, database, role } = operation;
  const isOpen = facts.statements.every((each) => !CLOSED.has(each.verb)) && !touchesLabels(facts);
  const uses = facts.statements.flatMap((statement) => statement.uses);
  return {
    target,
    database,
    role,
    statement: cut(
      isOpen ? [text, ...(runs ? [runs.text] : [])].map(covered).join('\n-- which runs\n') : facts.normalised,
    ),
    parameters: isOpen ? parameters?.map((value) => cut(covered(spelled(value)))) : undefined,
    verbs: facts.statements.map((statement) => statement.verb),
    resources: [...new Set(uses.map((use) => `${use.action} ${resourceId(use.resource)}`))].slice(0, 100),
    labels: labelsOf(facts),
    message,
    policies,
    isRead: facts.statements.every(({ verb }) => verb === 'select' || verb === 'introspect'),
  };
}

function labelsOf({ statements }: SqlFacts): string[] {
  const touched = statements.flatMap(({ columns, bystanders = [] }) => [...columns, ...bystanders]);
  return [...new Set(touched.flatMap(({ labels }) => labels.map(({ label }) => label)))].sort();
}

function spelled(value: Parameter): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? value : `(${value.length} bytes)`;
}

function covered(text: string): string {
  const bytes = Buffer.from(secretless(text));
  scanner.scan(bytes, 0, bytes.length, 'text', () => {});
  return bytes.toString('utf8');
}

function cut(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, MOST)} … (${text.length} characters)`;
}
