import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sallyport } from '../src/cli/testing/run.ts';
import { Gateway } from './testing/gateway.ts';

// What an operator learns from a target that is only watched, before it is enforced.

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start({ shop: '    mode: observe\n' });
  const alice = await gateway.person('alice'); // support
  const carol = await gateway.client(await gateway.person('carol')); // a contractor
  await carol.query('select id from orders where id = 1');
  for (const id of [3, 4]) await carol.query(`select name, email from customers where id = ${id}`);
  await carol.query("select id from customers where email = 'customer3@mail.example'");
  await carol.query('create table mine (id int)');
  await carol.query('delete from orders').catch(() => {});
  await carol.query('select nothing from nowhere').catch(() => {});
  await carol.end();
  const bob = await gateway.client(await gateway.person('bob')); // a DBA
  await bob.query('create table looked_at_first (id int)');
  await bob.end();
  const job = await gateway.job(alice, { target: 'shop', actions: ['select'] });
  const agent = await gateway.client(job);
  await agent.query('select note from customers where id = 1');
  await agent.end();
});
afterAll(() => gateway?.stop());

const report = (...args: string[]) => sallyport(['targets', 'report', 'shop', ...args], { cwd: gateway.directory });

interface Report {
  readonly operations: Record<string, number>;
  readonly who: readonly { readonly chain: string; readonly operations: number; readonly stopped: number }[];
  readonly groups: readonly {
    readonly effect: string;
    readonly enforced: boolean;
    readonly reason?: string;
    readonly policies: readonly string[];
    readonly rules: readonly string[];
    readonly statements: readonly Record<string, unknown>[];
  }[];
  readonly labelled: readonly {
    readonly column: string;
    readonly uses: Record<string, number>;
    readonly masked: number;
  }[];
  readonly verdict: { readonly ready: boolean; readonly message: string };
}

async function told(): Promise<Report> {
  const { code, out, err } = await report('--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

describe('targets report', () => {
  it('counts by whom, with the whole chain', async () => {
    const { who, operations } = await told();
    expect(who).toMatchObject([
      { chain: 'carol@shop.example', operations: 7, stopped: 6 },
      { chain: 'bob@shop.example', operations: 1, stopped: 1 },
      { chain: expect.stringContaining('alice@shop.example > '), operations: 1, stopped: 0 },
    ]);
    expect(operations).toMatchObject({ would_deny: 4, would_hold: 1, denied: 2 });
  });

  it('says what would have been denied or held, by which policy, and what would permit it', async () => {
    const { groups } = await told();
    const table = groups.find(({ reason, enforced }) => reason === 'no-permit' && !enforced);
    expect(table?.statements[0]).toMatchObject({
      statement: 'select name, email from customers where id = ?',
      operations: 2,
      who: ['carol@shop.example'],
      needs: [
        expect.stringMatching(/^permit \(principal == User::".+", action == Action::"select", resource == Table::/),
      ],
    });
    const filter = table?.statements.find(({ statement }) => String(statement).includes('email = ?'));
    expect(filter?.['needs']).toEqual([
      expect.stringContaining('action == Action::"select"'),
      expect.stringMatching(/action == Action::"filter", .*when \{ context\.filter == "equality" \};$/),
    ]);
    expect(groups).toContainEqual(
      expect.objectContaining({ enforced: false, effect: 'hold', policies: ['prod-ddl'], rules: ['dba-oncall'] }),
    );
    expect(groups).toContainEqual(
      expect.objectContaining({ enforced: true, effect: 'deny', policies: ['bounded-writes'], reason: 'forbidden' }),
    );
    expect(groups).toContainEqual(expect.objectContaining({ enforced: true, reason: 'unresolved' }));
  });

  it('tells how labelled columns were used', async () => {
    const { labelled } = await told();
    expect(labelled).toContainEqual(
      expect.objectContaining({
        column: 'shop/shop/public/customers/email',
        label: 'pii.email',
        uses: { read: 2, filter: 1 },
        masked: 2,
      }),
    );
  });

  it('holds no value', async () => {
    for (const { out } of [await report(), await report('--json')]) expect(out).not.toMatch(/customer3|mail\.example/);
  });

  it('is read by people, and ends with whether to enforce', async () => {
    const { out, code } = await report('--since', '1h');
    expect(code).toBe(0);
    expect(out).toContain('Would have been denied (no-permit)');
    expect(out).toMatch(/next {2}permit \(principal == User::/);
    expect(out).toMatch(/Was denied by bounded-writes \(forbidden\): 1 operation\n/);
    expect(out).toMatch(/Ready to enforce\? Not yet: of 9 operations 4 would have been denied and 1 held/);
    expect(out).toContain('next  asks dba-oncall');
  });

  it('is for administrators and auditors', async () => {
    const as = async (person: 'alice' | 'erin' | 'dave') => {
      const { pass } = await gateway.person(person);
      return await sallyport(['targets', 'report', 'shop'], { cwd: gateway.directory, env: { SALLYPORT_PASS: pass } });
    };
    expect((await as('alice')).err).toContain('gateway-audit or gateway-admin');
    expect((await as('dave')).code).toBe(0);
    expect((await as('erin')).code).toBe(0);
    expect((await report('--since', 'yesterday')).code).toBe(2);
  });
});
