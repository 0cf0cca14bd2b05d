import type { Scope } from '../core/caveats.ts';
import type { Chain } from '../core/grant.ts';
import { currentOf } from '../core/grant.ts';

/**
 * What a pass can do, for people: "may run SELECT on public.orders (id, total) at shop, until 14:05 UTC, 1 statement,
 * may not delegate". Says what caveats leave; what policy then permits is `sallyport explain`'s to tell.
 */
export function summarise(chain: Chain, now: number): string {
  const grant = currentOf(chain);
  const scopes = effectiveScopes(chain);
  const limits = chain.grants.flatMap(({ caveats }) => caveats.rows ?? []);
  const totals = chain.grants.flatMap(({ caveats }) => caveats.totalRows ?? []);
  const uses = chain.grants.flatMap((link) => link.uses ?? []);
  const sources = chain.grants.findLast(({ caveats }) => caveats.sources)?.caveats.sources;
  return [
    scopes ? scopes.map(describeScope).join('; or ') : 'may do whatever policy permits, at every target',
    until(grant.expires, now),
    ...(grant.connectBy < grant.expires ? [`sessions to be opened ${until(grant.connectBy, now)}`] : []),
    ...(uses.length > 0 ? [count(Math.min(...uses), 'statement')] : []),
    ...(limits.length > 0 ? [`at most ${count(Math.min(...limits), 'row')} each`] : []),
    ...(totals.length > 0 ? [`at most ${count(Math.min(...totals), 'row')} in all`] : []),
    ...(sources ? [`only from ${sources.join(' or ')}`] : []),
    grant.delegable ? `may delegate ${count(grant.maxDepth, 'level')} deep` : 'may not delegate',
  ].join(', ');
}

/** The scopes that count: the nearest ones on the path, since each was found to be within the ones above. */
export function effectiveScopes(chain: Chain): readonly Scope[] | undefined {
  return chain.grants.findLast(({ caveats }) => caveats.scopes)?.caveats.scopes;
}

function describeScope(scope: Scope): string {
  const place = scope.databases ? `${scope.target} (${scope.databases.join(', ')})` : scope.target;
  const role = scope.roles ? ` as ${scope.roles.join(' or ')}` : '';
  if (scope.statement) return `may run ${describeStatement(scope.statement)} at ${place}${role}`;
  const verbs = scope.actions
    ? scope.actions.map((action) => action.toUpperCase()).join(', ')
    : 'whatever policy permits';
  return `may run ${verbs}${describeTables(scope.tables)} at ${place}${role}`;
}

function describeStatement(statement: NonNullable<Scope['statement']>): string {
  if (statement.kind === 'fingerprint') return `one shape of query (${statement.fingerprint})`;
  const text = statement.text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return `exactly "${text.length > 120 ? `${text.slice(0, 120)}…` : text}"`;
}

function describeTables(tables: Scope['tables']): string {
  if (!tables) return '';
  const names = Object.entries(tables).map(([table, columns]) =>
    columns === '*' ? table : `${table} (${columns.join(', ') || 'no columns'})`,
  );
  return ` on ${names.join(', ')}`;
}

function until(time: number, now: number): string {
  const text = new Date(time).toISOString();
  const sameDay = text.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return `until ${sameDay ? '' : `${text.slice(0, 10)} `}${text.slice(11, 16)} UTC`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
