import { describe, expect, it } from 'vitest';
import type { Caveats } from '../core/caveats.ts';
import { type Connecting, coversConnect } from './caveats.ts';
import { agent, alice, chainOf } from './testing/chain.ts';

const here: Connecting = { target: 'shop', database: 'shop', role: 'app', impersonates: false, source: '10.0.0.9' };

function refused(caveats: Caveats, connecting: Partial<Connecting> = {}): boolean {
  const chain = chainOf(alice, [{ agent: agent('ci'), caveats }, { agent: agent('inner') }]);
  return coversConnect(chain, { ...here, ...connecting }) !== undefined;
}

describe('connecting', () => {
  it.each([
    ['without caveats', {}, {}, false],
    ['inside the block', { sources: ['10.0.0.0/8'] }, {}, false],
    ['inside one of two blocks', { sources: ['::1', '10.0.0.0/24'] }, {}, false],
    ['outside', { sources: ['10.1.0.0/16'] }, {}, true],
    ['mapped into IPv6', { sources: ['10.0.0.0/8'] }, { source: '::ffff:10.0.0.9' }, false],
    ['from nowhere known', { sources: ['0.0.0.0/0', '::/0'] }, { source: '' }, true],
    ['with a block nobody can read', { sources: ['10/8'] }, {}, true],
    ['with an empty list of blocks', { sources: [] }, {}, true],
    ['to the target', { scopes: [{ target: 'shop', actions: ['select'] }] }, {}, false],
    ['to another target', { scopes: [{ target: 'x' }] }, {}, true],
    ['to another database', { scopes: [{ target: 'shop', databases: ['x'] }] }, {}, true],
    ['as another role', { scopes: [{ target: 'shop', roles: ['owner'] }] }, {}, true],
    [
      'as a listed role',
      { scopes: [{ target: 'shop', roles: ['owner'], actions: ['select'] }] },
      { role: 'owner', impersonates: true },
      false,
    ],
    ['as a role not spoken of', { scopes: [{ target: 'shop' }] }, { role: 'owner', impersonates: true }, false],
    [
      'as a role the actions leave out',
      { scopes: [{ target: 'shop', actions: ['select'] }] },
      { role: 'owner', impersonates: true },
      true,
    ],
    ['with no scopes', { scopes: [] }, {}, true],
  ] as const)('%s', (_name, caveats, connecting, expected) => {
    expect(refused(caveats, connecting)).toBe(expected);
  });
});
