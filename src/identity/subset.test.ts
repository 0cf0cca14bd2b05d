import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../core/action.ts';
import type { Caveats, Scope } from '../core/caveats.ts';
import { widenings } from './subset.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

const parent: Caveats = {
  scopes: [
    {
      target: 'shop',
      databases: ['shop'],
      actions: ['read'],
      tables: { 'public.orders': ['id', 'total'], 'public.items': '*' },
    },
    { target: 'wiki', statement: { kind: 'exact', text: 'select 1' } },
  ],
  sources: ['10.0.0.0/8'],
  rows: 100,
};
const narrow: Scope = { target: 'shop', databases: ['shop'], actions: ['select'], tables: { 'public.orders': ['id'] } };
const exact: Scope = { target: 'wiki', statement: { kind: 'exact', text: 'select 1' } };

describe('a child', () => {
  it.each<[string, Caveats]>([
    ['without caveats of its own', {}],
    ['with less of everything', { scopes: [narrow], sources: ['10.1.0.0/16'], rows: 10 }],
    ['with the same', parent],
    ['with a whole table of which the parent has all', { scopes: [{ ...narrow, tables: { 'public.items': '*' } }] }],
    [
      'with a column of a table of which the parent has all',
      { scopes: [{ ...narrow, tables: { 'public.items': ['x'] } }] },
    ],
    [
      'with the same statement and its parameters bound',
      { scopes: [{ target: 'wiki', statement: { kind: 'exact', text: 'select 1', parameters: [] } }] },
    ],
    ['with a role where the parent names none', { scopes: [{ ...narrow, roles: ['app'] }] }],
    [
      'bound to a statement where the parent is not',
      { scopes: [{ ...narrow, statement: { kind: 'fingerprint', fingerprint: 'ab' } }] },
    ],
  ])('%s fits', (_name, child) => {
    expect(widenings(child, [parent])).toEqual([]);
  });

  it.each<[string, Caveats, string]>([
    ['another target', { scopes: [{ target: 'crm' }] }, '[0].target: crm'],
    ['another database', { scopes: [{ ...narrow, databases: ['shop', 'hr'] }] }, 'databases: hr'],
    [
      'all databases',
      { scopes: [{ target: 'shop', actions: ['select'], tables: { 'public.items': '*' } }] },
      'databases: not limited',
    ],
    ['another action', { scopes: [{ ...narrow, actions: ['select', 'delete'] }] }, 'actions: delete'],
    ['a group of actions', { scopes: [{ ...narrow, actions: ['write'] }] }, 'actions: write'],
    [
      'all actions',
      { scopes: [{ target: 'shop', databases: ['shop'], tables: { 'public.items': '*' } }] },
      'actions: not limited',
    ],
    ['another table', { scopes: [{ ...narrow, tables: { 'public.customers': ['id'] } }] }, 'tables: public.customers'],
    [
      'a table named like an inherited member',
      { scopes: [{ ...narrow, tables: { ['constructor' as string]: '*' as const } }] },
      'tables: constructor',
    ],
    [
      'another column',
      { scopes: [{ ...narrow, tables: { 'public.orders': ['id', 'email'] } }] },
      'column email of public.orders',
    ],
    ['all columns', { scopes: [{ ...narrow, tables: { 'public.orders': '*' } }] }, 'all columns of public.orders'],
    ['all tables', { scopes: [{ target: 'shop', databases: ['shop'], actions: ['select'] }] }, 'tables: not limited'],
    [
      'another statement',
      { scopes: [{ target: 'wiki', statement: { kind: 'exact', text: 'select 2' } }] },
      'statement:',
    ],
    [
      'the same statement with parameters',
      { scopes: [{ target: 'wiki', statement: { kind: 'exact', text: 'select 1', parameters: ['a'] } }] },
      'statement:',
    ],
    ['any statement', { scopes: [{ target: 'wiki' }] }, 'statement:'],
    [
      'a shape for a text',
      { scopes: [{ target: 'wiki', statement: { kind: 'fingerprint', fingerprint: 'ab' } }] },
      'statement:',
    ],
    ['one scope that fits and one that does not', { scopes: [exact, { target: 'crm' }] }, '[1].target: crm'],
    ['a wider network', { sources: ['0.0.0.0/0'] }, 'sources: 0.0.0.0/0'],
    ['a network of the other family', { sources: ['::/0'] }, 'sources: ::/0'],
    ['more rows', { rows: 101 }, 'rows: 101'],
  ])('with %s is told', (_name, child, problem) => {
    expect(widenings(child, [parent]).join('; ')).toContain(problem);
  });

  it('is compared with every ancestor, not only with the nearest', () => {
    expect(widenings({ scopes: [{ target: 'crm' }] }, [parent, {}])).not.toEqual([]);
    expect(widenings({ rows: 101 }, [parent, { rows: 1000 }])).not.toEqual([]);
    expect(widenings({ sources: ['0.0.0.0/0'] }, [parent, {}])).not.toEqual([]);
  });
});

/** One thing somebody does: what scopes are about. Column undefined: the table as such. */
interface Doing {
  target: string;
  database: string;
  role: string;
  action: string;
  table: string;
  column: string | undefined;
  statement: string;
}

/** An independent reading of what a scope covers, one thing at a time. */
function covers(scope: Scope, doing: Doing): boolean {
  const groups: Record<string, string[]> = {
    read: ['select', 'introspect', 'copy-out', 'lock'],
    write: ['insert', 'update', 'delete', 'truncate', 'copy-in'],
  };
  if (scope.target !== doing.target) return false;
  if (scope.databases && !scope.databases.includes(doing.database)) return false;
  if (scope.roles && !scope.roles.includes(doing.role)) return false;
  if (scope.actions && !scope.actions.some((name) => (groups[name] ?? [name]).includes(doing.action))) return false;
  if (scope.statement?.kind === 'exact' && scope.statement.text !== doing.statement) return false;
  if (!scope.tables) return true;
  const columns = Object.entries(scope.tables).find(([table]) => table === doing.table)?.[1];
  if (columns === undefined) return false;
  return columns === '*' || doing.column === undefined || columns.includes(doing.column);
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const some = <const T extends string>(...names: T[]): fc.Arbitrary<T[]> => fc.subarray(names, { minLength: 1 });
const columnsOf = fc.oneof(fc.constant<'*'>('*'), fc.subarray(['id', 'total']));
const scopes = fc
  .array(
    fc.record({
      target: fc.constantFrom('shop', 'wiki'),
      databases: maybe(some('a', 'b')),
      roles: maybe(some('app', 'dba')),
      actions: maybe(some('read', 'write', 'select', 'insert', 'ddl')),
      tables: maybe(fc.dictionary(fc.constantFrom('p.orders', 'p.items'), columnsOf, { minKeys: 1 })),
      text: maybe(fc.constantFrom('select 1', 'select 2')),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((list) => list.map(toScope));

function toScope(drawn: {
  target: string;
  databases: string[] | undefined;
  roles: string[] | undefined;
  actions: ('read' | 'write' | 'select' | 'insert' | 'ddl')[] | undefined;
  tables: Record<string, '*' | string[]> | undefined;
  text: string | undefined;
}): Scope {
  const { target, databases, roles, actions, tables, text } = drawn;
  return {
    target,
    ...(databases ? { databases } : {}),
    ...(roles ? { roles } : {}),
    ...(actions ? { actions } : {}),
    ...(tables ? { tables } : {}),
    ...(text === undefined ? {} : { statement: { kind: 'exact', text } }),
  };
}

const doings = fc.record({
  target: fc.constantFrom('shop', 'wiki'),
  database: fc.constantFrom('a', 'b', 'c'),
  role: fc.constantFrom('app', 'dba', 'x'),
  action: fc.constantFrom(...ACTIONS),
  table: fc.constantFrom('p.orders', 'p.items', 'p.other'),
  column: fc.constantFrom('id', 'total', 'email', undefined),
  statement: fc.constantFrom('select 1', 'select 2', 'select 3'),
});

describe('the algebra', () => {
  it('lets no child through that covers what its parent does not', () => {
    let fitting = 0;
    fc.assert(
      fc.property(scopes, scopes, fc.array(doings, { minLength: 30, maxLength: 30 }), (above, below, things) => {
        if (widenings({ scopes: below }, [{ scopes: above }]).length > 0) return;
        fitting += 1;
        for (const thing of things.filter((doing) => below.some((scope) => covers(scope, doing)))) {
          expect(above.some((scope) => covers(scope, thing))).toBe(true);
        }
      }),
      { numRuns: 6000 * EFFORT },
    );
    expect(fitting).toBeGreaterThan(30);
  });

  it('finds every set of scopes to be within itself', () => {
    fc.assert(fc.property(scopes, (own) => widenings({ scopes: own }, [{ scopes: own }]).length === 0));
  });
});
