import { describe, expect, it } from 'vitest';
import type { StatementFacts } from '../../core/facts.ts';
import type { Operation } from '../../core/operation.ts';
import { isEstimable } from './estimable.ts';

const table = { kind: 'Table', path: ['shop', 'shop', 'public', 'orders'] } as const;
const statement: StatementFacts = {
  verb: 'delete',
  uses: [{ action: 'delete', resource: table, labels: [] }],
  columns: [],
  bounded: true,
  settings: [],
  transaction: undefined,
  barrier: false,
  ddl: false,
  free: false,
  copy: undefined,
  names: undefined,
};
const column = { column: table, use: 'filter', table: 1, attribute: 1 } as const;

function operationOf(statements: readonly StatementFacts[], more: Partial<Operation> = {}): Operation {
  const facts = { statements, fingerprint: 'f', normalised: 'x' };
  return {
    protocol: 'postgres',
    text: 'x',
    parameters: undefined,
    facts,
    database: 'd',
    role: 'r',
    searchPath: [],
    ...more,
  };
}

describe('the planner', () => {
  it('may be asked about one plain statement', () => {
    expect(isEstimable(operationOf([statement]))).toBe(true);
    expect(isEstimable(operationOf([statement], { parameters: [] }))).toBe(true);
  });

  it.each<[string, Operation]>([
    ['nothing', operationOf([])],
    ['two statements', operationOf([statement, statement])],
    ['parameters', operationOf([statement], { parameters: ['1'] })],
    ['DDL', operationOf([{ ...statement, verb: 'ddl' }])],
    [
      'a function that is not vetted',
      operationOf([{ ...statement, uses: [...statement.uses, { action: 'execute', resource: table, labels: [] }] }]),
    ],
    ['what runs by name', operationOf([{ ...statement, names: { kind: 'execute', name: 'x' } }])],
    ['COPY', operationOf([{ ...statement, copy: { direction: 'out', format: 'text' } }])],
    [
      'a labelled column',
      operationOf([{ ...statement, columns: [{ ...column, labels: [{ label: 'pii', style: 'null' }] }] }]),
    ],
    [
      'a labelled column beside',
      operationOf([{ ...statement, bystanders: [{ column: table, labels: [{ label: 'pii', style: 'null' }] }] }]),
    ],
  ])('is not asked about %s', (_name, operation) => {
    expect(isEstimable(operation)).toBe(false);
  });
});
