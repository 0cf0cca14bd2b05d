import type { Action } from '../../core/action.ts';
import type { ColumnLabel, ColumnUse, SqlFacts, StatementFacts } from '../../core/facts.ts';
import type { Chain } from '../../core/grant.ts';
import type { Parameter } from '../../core/operation.ts';
import type { Resource } from '../../core/resource.ts';
import type { DetectRules, SqlQuestion } from '../statement.ts';
import { contextWith } from './chain.ts';

/** Hand-written facts: what the sql room would have found in the text. */

export function table(name: string, schema = 'public'): Resource {
  return { kind: 'Table', path: ['shop', 'shop', schema, name] };
}

export const email: ColumnLabel = { label: 'pii.email', style: 'email' };
export const secret: ColumnLabel = { label: 'secret', style: 'null' };

/** `customers.email` used in some way; attribute numbers follow the name's length, which is enough to tell them apart. */
export function column(name: string, use: ColumnUse['use'], labels: readonly ColumnLabel[] = []): ColumnUse {
  const [relation = '', attribute = ''] = name.split('.');
  const path = [...table(relation).path, attribute];
  return { column: { kind: 'Column', path }, use, table: 16400, attribute: attribute.length, labels };
}

export function statement(
  verb: StatementFacts['verb'],
  tables: Readonly<Record<string, readonly Action[]>>,
  more: Partial<StatementFacts> = {},
): StatementFacts {
  const uses = Object.entries(tables).flatMap(([name, actions]) =>
    actions.map((action) => ({ action, resource: table(name), labels: ['prod'] })),
  );
  return {
    verb,
    uses,
    columns: [],
    bounded: true,
    settings: [],
    transaction: undefined,
    barrier: false,
    ddl: false,
    free: false,
    copy: undefined,
    names: undefined,
    ...more,
  };
}

export function question(
  chain: Chain,
  statements: readonly StatementFacts[],
  more: { text?: string; parameters?: readonly Parameter[]; fingerprint?: string; detect?: DetectRules } = {},
): SqlQuestion {
  const { text = 'SELECT', parameters, fingerprint = 'f1', detect } = more;
  const facts: SqlFacts = { statements, fingerprint, normalised: text };
  const { binding, source, now } = contextWith();
  return {
    chain,
    operation: { protocol: 'postgres', text, parameters, facts, database: 'shop', role: 'app', searchPath: [] },
    target: { name: 'shop', labels: ['prod'], detect },
    context: { binding, source, now },
  };
}
