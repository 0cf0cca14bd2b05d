import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from './testing/gateway.ts';

const SHOP = `    rows: 150
    budgets:
      - { label: pii.email, lookups: 6 }
      - { label: pii.ssn, rows: 40 }
`;
const LOOKS_UP = `@id("support-looks-up")
permit (principal in Group::"support", action == Action::"filter", resource in Label::"pii.email")
when { context.filter == "equality" };`;

let gateway: Gateway;
let alice: pg.Client;
const open: pg.Client[] = [];

beforeAll(async () => {
  gateway = await Gateway.start({ shop: SHOP, policies: { 'looks-up.cedar': LOOKS_UP } });
  alice = await client();
});
afterAll(async () => {
  await Promise.all(open.map((each) => each.end()));
  await gateway?.stop();
});

async function client(form: Readonly<Record<string, string>> = {}): Promise<pg.Client> {
  const found = await gateway.client(await gateway.person('alice', form));
  open.push(found);
  return found;
}

const SPENT = { code: '54000', message: expect.stringContaining('budget') };

describe('a budget', () => {
  it('limits how many values a label’s columns are compared with, whoever acts for the person', async () => {
    const looks = (who: pg.Client, ...emails: string[]) =>
      who.query('select id from customers where email = any ($1)', [emails]);
    await looks(alice, 'customer1@mail.example', 'b');
    await alice.query("select id from customers where email in ('a', 'b')");
    const job = await gateway.job(await gateway.person('alice', { delegable: 'true' }), { target: 'shop' });
    const helper = await gateway.client(job);
    open.push(helper);
    await expect(looks(helper, 'a', 'b', 'c')).rejects.toMatchObject(SPENT);
    await looks(helper, 'a', 'b');
    await expect(looks(alice, 'a')).rejects.toMatchObject(SPENT);
    expect((await alice.query('select 1 as alive')).rows).toEqual([{ alive: 1 }]);
    await alice.query('prepare many (text[]) as select id from customers where email = any ($1)');
    await expect(alice.query("execute many ('{a,b,c,d,e,f,g}')")).rejects.toMatchObject(SPENT);
    await expect(alice.query("execute many (string_to_array('a', ','))")).rejects.toMatchObject(SPENT);
    // Other people have their own.
    expect((await alice.query('select count(*)::int as n from orders where id = 1')).rows).toEqual([{ n: 1 }]);
  });

  it('limits how many rows show a label’s columns in an hour, masked or not', async () => {
    expect((await alice.query('select ssn from customers limit 30')).rows).toHaveLength(30);
    await expect(alice.query('select ssn from customers limit 30')).rejects.toMatchObject(SPENT);
    await expect(alice.query('select lower(ssn) from customers limit 1')).rejects.toMatchObject(SPENT);
    expect((await alice.query('select name from customers')).rows).toHaveLength(60);
  });

  it('limits the rows of one result', async () => {
    await expect(alice.query('select id from orders')).rejects.toMatchObject({ code: '42501' });
    expect((await alice.query('select id from orders limit 150')).rows).toHaveLength(150);
  });

  it('limits the rows of a pass in all, and of every pass under it', async () => {
    const pass = await gateway.person('alice', { total_rows: '10', delegable: 'true', max_depth: '1' });
    const job = await gateway.job(pass, { target: 'shop' });
    const [first, second] = [await gateway.client(pass), await gateway.client(job)];
    open.push(first, second);
    expect((await first.query('select id from orders limit 6')).rows).toHaveLength(6);
    await expect(second.query('select id from orders limit 6')).rejects.toMatchObject(SPENT);
    await expect(first.query('select id from orders limit 1')).rejects.toMatchObject(SPENT);
    await expect(gateway.job(pass, { target: 'shop' }, { total_rows: '11' })).rejects.toThrow(
      "total_rows: 11 is more than the parent's 10",
    );
  });
});
