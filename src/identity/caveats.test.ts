import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLimits, parseScopes, toDetails } from './caveats.ts';

const orders = { 'public.orders': ['id', 'total'] };

describe('authorization details', () => {
  it('become scopes', () => {
    const detail = {
      type: 'sallyport',
      target: 'shop',
      databases: ['shop'],
      roles: ['app'],
      actions: ['select', 'write'],
      tables: { ...orders, 'public.items': '*', 'odd%2Ename.t': [] },
      statement: { kind: 'exact', text: 'select 1', parameters: ['a', null] },
    };
    const { type: _type, ...scope } = detail;
    const parsed = parseScopes(JSON.stringify([detail]));
    expect(parsed).toEqual({ value: [scope] });
    expect('value' in parsed && toDetails(parsed.value)).toEqual([detail]);
  });

  it.each([
    ['text that is not JSON', '{', 'not JSON'],
    ['an object', '{}', 'not a list'],
    ['nothing at all', '[]', 'would allow nothing'],
    ['too many', JSON.stringify(Array(33).fill({ type: 'sallyport', target: 'a' })), 'more than 32'],
    ['too much', `[${' '.repeat(70_000)}]`, 'longer than'],
    ['a detail that is no object', '[1]', '[0]: not an object'],
    ['no type', [{ target: 'a' }], '[0].type'],
    ['another type', [{ type: 'pg', target: 'a' }], '[0].type'],
    ['no target', [{ type: 'sallyport' }], '[0].target'],
    ['a target that is no text', [{ type: 'sallyport', target: ['a'] }], '[0].target'],
    ['an unknown field', [{ type: 'sallyport', target: 'a', acitons: ['select'] }], '"acitons": not a known field'],
    ['an inherited field name', '[{"type":"sallyport","target":"a","__proto__":{}}]', '"__proto__": not a known field'],
    ['an unknown action', [{ type: 'sallyport', target: 'a', actions: ['selct'] }], '"selct" is not an action'],
    ['an action on the gateway', [{ type: 'sallyport', target: 'a', actions: ['gateway-admin'] }], 'is not an action'],
    ['no actions', [{ type: 'sallyport', target: 'a', actions: [] }], 'actions: must be a list'],
    ['databases that are no list', [{ type: 'sallyport', target: 'a', databases: 'b' }], 'databases: must be a list'],
    ['an empty database name', [{ type: 'sallyport', target: 'a', databases: [''] }], 'databases: must be a list'],
    ['a role with a control character', [{ type: 'sallyport', target: 'a', roles: ['a\n'] }], 'roles: must be'],
    ['a table without schema', [{ type: 'sallyport', target: 'a', tables: { orders: '*' } }], 'schema.table'],
    ['a table with two dots', [{ type: 'sallyport', target: 'a', tables: { 'a.b.c': '*' } }], 'schema.table'],
    ['a table with a raw slash', [{ type: 'sallyport', target: 'a', tables: { 'a.b/c': '*' } }], 'schema.table'],
    ['a table with a bad escape', [{ type: 'sallyport', target: 'a', tables: { 'a.b%2f': '*' } }], 'schema.table'],
    [
      'columns that are no list',
      [{ type: 'sallyport', target: 'a', tables: { 'a.b': 'id' } }],
      'must be "*" or a list',
    ],
    ['no tables', [{ type: 'sallyport', target: 'a', tables: {} }], 'tables: must be an object'],
    [
      'a statement with more in it',
      [{ type: 'sallyport', target: 'a', statement: { kind: 'exact', text: 'a', x: 1 } }],
      'statement: must be',
    ],
    [
      'a statement of another kind',
      [{ type: 'sallyport', target: 'a', statement: { kind: 'like', text: 'a' } }],
      'statement: must be',
    ],
    [
      'a fingerprint that is none',
      [{ type: 'sallyport', target: 'a', statement: { kind: 'fingerprint', fingerprint: 'x' } }],
      'statement: must be',
    ],
  ])('are refused for %s', (_name, details, problem) => {
    const parsed = parseScopes(typeof details === 'string' ? details : JSON.stringify(details));
    expect('problems' in parsed ? parsed.problems.join('; ') : 'accepted').toContain(problem);
  });

  it('are read or refused whatever they are', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.array(fc.object()).map((o) => JSON.stringify(o)),
        ),
        (json) => {
          const parsed = parseScopes(json);
          return 'problems' in parsed ? parsed.problems.length > 0 : parsed.value.length > 0;
        },
      ),
    );
  });
});

describe('limits', () => {
  it('become caveats', () => {
    expect(parseLimits({ rows: '100', sources: '10.0.0.0/8, 2001:db8::/32 192.168.1.1' })).toEqual({
      value: { rows: 100, sources: ['10.0.0.0/8', '2001:db8::/32', '192.168.1.1'] },
    });
    expect(parseLimits({})).toEqual({ value: {} });
  });

  it.each([
    [{ rows: '-1' }],
    [{ rows: '1e3' }],
    [{ rows: '010' }],
    [{ rows: '9'.repeat(20) }],
    [{ sources: ',' }],
    [{ sources: '10.0.0.1/8' }],
    [{ sources: '10.0.0.0/33' }],
    [{ sources: '10.0.0.0/08' }],
    [{ sources: 'example.com' }],
    [{ sources: 'fe80::1%eth0' }],
  ])('refuse %o', (fields) => {
    expect(parseLimits(fields)).toHaveProperty('problems');
  });
});
