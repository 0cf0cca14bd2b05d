import { describe, expect, it } from 'vitest';
import type { SqlFacts, StatementFacts } from '../core/facts.ts';
import type { Resource } from '../core/resource.ts';
import { CedarEngine } from '../policy/engine.ts';
import { loadPolicies } from '../policy/load.ts';
import { explainer } from './explain.ts';
import { CI, childOf, FakeControl, grantOf, person } from './testing/fakes.ts';

const table: Resource = { kind: 'Table', path: ['shop', 'shop', 'public', 'customers'] };
const email: Resource = { kind: 'Column', path: [...table.path, 'email'] };

function reading(use: 'read' | 'filter'): SqlFacts {
  const statement: StatementFacts = {
    verb: 'select',
    uses: [{ action: 'select', resource: table, labels: [] }],
    columns: [{ column: email, use, table: 16_400, attribute: 2, labels: [{ label: 'pii.email', style: 'email' }] }],
    bounded: true,
    settings: [],
    transaction: undefined,
    barrier: false,
    ddl: false,
    free: false,
    copy: undefined,
    names: undefined,
  };
  return { statements: [statement], fingerprint: 'f', normalised: 'n' };
}

function explain(use: 'read' | 'filter', groups: readonly string[]) {
  const text =
    '@id("reads") permit (principal in Group::"support", action == Action::"select", resource in Target::"shop");';
  const loaded = loadPolicies([{ name: 'test.cedar', text }], { rules: [] });
  if ('problems' in loaded) throw new Error(loaded.problems.map((problem) => problem.message).join());
  const engine = new CedarEngine(loaded);
  const { clock, config } = new FakeControl().ports();
  const root = grantOf('alice', { principal: person('alice', groups) });
  const chain = { grants: [root, childOf(root, 'job', CI)] as const };
  const request = { chain, target: 'shop', database: 'shop', role: 'app', sql: 'x', source: '127.0.0.1' };
  return explainer({ clock, config, engine: () => engine, facts: async () => reading(use), spell: (text) => text })(
    request,
  );
}

describe('an explanation', () => {
  it('shows the decision, who was asked, and what is masked', async () => {
    const { decision, asks, statements, as } = await explain('read', ['support']);
    expect(as).toBe('alice > deploy (attested)');
    expect(decision).toMatchObject({ effect: 'permit', policies: expect.arrayContaining(['reads']) });
    expect(asks).toContainEqual(
      expect.objectContaining({
        identity: 'User::"https://id.example|alice"',
        action: 'select',
        resource: 'shop/shop/public/customers',
        effect: 'permit',
        policies: ['reads'],
      }),
    );
    expect(statements).toMatchObject([
      { verb: 'select', columns: [{ column: 'shop/shop/public/customers/email', use: 'read', mask: 'email' }] },
    ]);
  });

  it('shows why not, and which line would permit it', async () => {
    const filtered = await explain('filter', ['support']);
    expect(filtered.decision).toMatchObject({
      effect: 'deny',
      reason: 'labelled-column',
      hint: expect.stringContaining('permit'),
    });
    const stranger = await explain('read', []);
    expect(stranger.decision).toMatchObject({ effect: 'deny', reason: 'no-permit' });
  });
});
