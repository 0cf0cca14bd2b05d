import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnLabel } from '../../core/facts.ts';
import { isApart } from './json-access.ts';
import type { Column } from './relation.ts';
import { type RealShop, startShop } from './testing/real.ts';

let shop: RealShop;

beforeAll(async () => {
  shop = await startShop({
    before: `create table accounts (id int primary key, email text unique, balance int check (balance >= 0), pin int, check (pin <> id));
      create table mails (id int, to_email text references accounts (email));`,
    label: 'public.*.email',
  });
});
afterAll(() => shop?.stop());

/** How the statement filters by labelled columns. */
function filters(text: string): string[] {
  return shop.read(text).statements.flatMap(({ columns }) =>
    columns.flatMap(({ use, labels, filter, through, lookups, column }) => {
      if (use !== 'filter' || labels.length === 0) return [];
      const { constants = 0, arrays = [] } = lookups ?? {};
      const more = `${constants > 0 ? ` ${constants}` : ''}${arrays.map((array) => ` $${array}`).join('')}`;
      return `${column.path.slice(3).join('.')} ${filter}${more}${through ? ' through' : ''}`;
    }),
  );
}

const where = (condition: string): string => `select id from customers c where ${condition}`;

describe('a condition on a labelled column', () => {
  it.each([
    ['email = $1', '1'],
    ["'a' = c.email", '1'],
    ["email = 'a' or name like 'b%' and not email <> 'c'", '2'],
    ["email in ('a', 'b', $3)", '3'],
    ["email not in ('a')", '1'],
    ["email = any (array['a', 'b'])", '2'],
    ["email = any ('{a,b,c}')", '3'],
    ["email = any (array['a', 'b'] || array['c'])", '3'],
    ["email = any ('{a,b}'::text[] || $1)", '2 $1'],
    ["email = any (array[array['a', 'b'], array['c', 'd']])", '4'],
    ["email = any (array['{a,b}'::text[], $1])", '2 $1'],
    ['email = any ($2)', '$2'],
    ['email = any ($1::text[])', '$1'],
    ["email <> all (array['a'])", '1'],
    ["email is not distinct from 'a'", '1'],
    ['lower(email) = lower($1)', '1'],
    ["upper(email::text) = upper('a')", '1'],
    ["pg_catalog.lower(email) = 'a'::text", '1'],
    ["email = btrim(' a ') || '@b'", '1'],
    ["email = concat('a', $1)", '1'],
    ["(email, id) = ('a', 1)", '1'],
    ["(email = 'a') is not true", '1'],
    ['email is null', ''],
    ['email is not null', ''],
  ])('compares it with constants: %s', (condition, lookups) => {
    expect(filters(where(condition))).toEqual([`customers.email equality${lookups === '' ? '' : ` ${lookups}`}`]);
  });

  it.each([
    "email like 'a%'",
    "email ~ 'a'",
    "email > 'a'",
    "email between 'a' and 'b'",
    'email = name',
    'email = email',
    "email = 'a' || name",
    "left(email, 1) = 'a'",
    "email::varchar(1) = 'a'",
    `email::"char" = 'a'`,
    "email::bytea = 'a'",
    '(email collate "C") = \'a\'',
    'length(email) = 3',
    "email = (select 'a')",
    "email in (select 'a')",
    "email = any (string_to_array('a,b', ','))",
    "email = peek('a')",
    'email = any (tags)',
    "(email, id) > ('a', 1)",
    'email = concat(name, $1)',
    "(email like 'a') is true",
    "case when email = 'a' then true end",
    "coalesce(email, '') = 'a'",
    'email = null',
    "email operator(other.===) 'a'",
    "starts_with(email, 'a')",
    'c = row(1)',
    'exists (select 1 from orders o where o.note = c.email)',
    "email = 'a' and email < 'b'",
  ])('may be anything else: %s', (condition) => {
    expect(filters(where(condition)).map((each) => each.replace(/( \d+)?( through)?$/, ''))).toEqual([
      'customers.email any',
    ]);
  });

  it.each([
    ["select id from (select id, email from customers) s where email = 'a'", 'customers.email equality 1 through'],
    [
      "with s as (select email e from customers) select 1 from s where e in ('a', 'b')",
      'customers.email equality 2 through',
    ],
    ["select 1 from (select upper(email) e from customers) s where e = 'A'", 'customers.email any through'],
    [
      "select 1 from (select email e from customers union all select name from customers) s where e = 'A'",
      'customers.email any through',
    ],
    [
      "select o.id from orders o join customers c on c.id = o.customer_id and c.email = 'a'",
      'customers.email equality 1',
    ],
    ['select id from customers order by email', 'customers.email any'],
    ['select id from customers order by lower(email)', 'customers.email any'],
    ['select email from customers group by 1', 'customers.email any through'],
    ['select distinct email from customers', 'customers.email any through'],
    ["update customers set name = 'x' where email = 'a'", 'customers.email equality 1 through'],
    ["delete from customers where email = 'a'", 'customers.email equality 1 through'],
  ])('%s', (text, expected) => {
    expect(filters(text)).toEqual([expected]);
  });
});

describe('EXECUTE', () => {
  it.each<[string, (number | undefined)[]]>([
    ["execute p('a', '{a,b,c}', array['a', 'b'])", [1, 3, 2]],
    ["execute p(string_to_array('a,b', ','))", [undefined]],
    ["explain execute p('{a,b}'::text[] || '{c}')", [3]],
    ['execute p', []],
  ])('tells how many values it gives: %s', (text, expected) => {
    expect(shop.read(text).statements[0]?.given).toEqual(expected);
  });
});

describe('what the server checks when rows are written', () => {
  it.each([
    ["insert into accounts (id, email) values (1, 'a')", ['accounts.email equality 1']],
    ['insert into accounts (id) values (1)', []],
    ["update accounts set email = 'a' where id = 1", ['accounts.email equality 1']],
    ['update accounts set balance = 1 where id = 1', []],
    ["insert into mails (id, to_email) values (1, 'guess')", ['accounts.email equality 1']],
    ["update mails set to_email = 'guess' where id = 1", ['accounts.email equality 1']],
    ['insert into mails (id) values (1)', []],
    ['copy mails from stdin', ['accounts.email equality 1']],
    [
      "merge into mails m using items i on m.id = i.order_id when not matched then insert values (1, 'guess')",
      ['accounts.email equality 1'],
    ],
  ])('%s', (text, expected) => {
    expect(filters(text)).toEqual(expected);
  });
});

describe('what is shown of labelled columns', () => {
  it.each([
    ["select lower(email), email || '!' from customers", [[0, 1]]],
    ['select e from (select upper(email) as e from customers) s', [[0]]],
    ["update customers set name = 'x' where id = 1 returning id, coalesce(email, '')", [[1]]],
    ['select string_agg(email, $$,$$) from customers', [[0]]],
    ['select email::int from customers', [undefined]],
    ["select case when email = 'a' then 1 end from customers", [undefined]],
    ['select nullif(email, $$a$$) from customers', [undefined]],
    ['select lower(email), email::date from customers', [undefined]],
    ['select to_json(c) from customers c', [[0]]],
    ['select email || name from customers order by 1', [[0]]],
    ['select lower(email) as e into kept from customers', [undefined]],
    ['create table kept as select lower(email) from customers', [undefined]],
    ['create view kept as select lower(email) from customers', [undefined]],
    ['explain analyze create table kept as select lower(email) from customers', [undefined]],
    ['insert into orders (note) select lower(email) from customers', [undefined]],
    ['update orders set note = lower(email) from customers c where orders.id = c.id', [undefined]],
    ['copy (select lower(email) from customers) to stdout', [undefined]],
    [
      "insert into orders (id, note) values (1, '') on conflict (id) do update set note = (select lower(email) from customers limit 1)",
      [undefined],
    ],
  ])('%s', (text, expected) => {
    const [statement] = shop.read(text).statements;
    const derived = statement?.columns.filter(({ use, labels }) => use === 'derive' && labels.length > 0) ?? [];
    expect(derived.map(({ outputs }) => outputs)).toEqual(expected);
  });
});

describe('keys of a json column whose labels are on others', () => {
  const path = { label: 'pii.ssn', style: 'redact', path: ['person', 'ssn'] } as const;
  const column = (labels: readonly ColumnLabel[]) => ({ labels }) as unknown as Column;

  it.each<[string, readonly string[], boolean]>([
    ['another key', ['name'], true],
    ['another key under the same', ['person', 'name'], true],
    ['what holds it', ['person'], false],
    ['the very one', ['person', 'ssn'], false],
    ['something in it', ['person', 'ssn', 'x'], false],
    ['the same in an array', ['0', 'person', '1', 'ssn'], false],
    ['another in an array', ['0', 'person', '1', 'name'], true],
    ['an element', ['0'], false],
    ['everything', [], false],
  ])('%s', (_name, keys, expected) => {
    expect(isApart(column([path]), keys)).toBe(expected);
    expect(isApart(column([path, { label: 'secret', style: 'null' }]), keys)).toBe(false);
  });
});
