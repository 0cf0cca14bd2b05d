import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlFacts } from '../../core/facts.ts';
import type { SourceObligation } from '../../core/obligation.ts';
import { maskAtSource } from './mask-at-source.ts';
import { parse } from './parser.ts';
import { generateQuery } from './testing/generate.ts';
import { type RealShop, startShop } from './testing/real.ts';
import { bodyOf, isTree, listAt, type Tree, textAt, treeAt, type Value } from './tree.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

const WORLD = (schema: string, email: string) => `
  create schema ${schema};
  create table ${schema}.customers (id int, name text, email text, boss int);
  create table ${schema}.orders (id int, customer_id int, note text);
  create table ${schema}.people (id int, email text, note text);
  insert into ${schema}.customers select i, 'name ' || i, ${email}, i / 2 from generate_series(1, 5) i;
  insert into ${schema}.orders select i, i / 2, 'a' || i from generate_series(1, 6) i;
  insert into ${schema}.people select i, 'a' || i, 'name ' || i from generate_series(1, 4) i;
`;

let shop: RealShop;
let client: pg.Client;

beforeAll(async () => {
  shop = await startShop({
    before: WORLD('one', "'a' || i") + WORLD('masked', "'m' || length('a' || i)"),
    label: '*.customers.email',
  });
  client = new pg.Client({ ...shop.server, database: 'postgres', statement_timeout: 2_000 });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await shop?.stop();
});

/** Every relation that can be masked, is, with its labelled columns replaced. */
function masked(text: string, facts: SqlFacts, expression: (reference: string) => string, filtered = false): string {
  const obligations = facts.statements.flatMap(({ sources }, statement) => {
    const byTable = Map.groupBy(sources?.sites ?? [], (site) => site.table);
    return [...byTable].map(([table, [site]]): SourceObligation => {
      const labelled = site?.columns.filter((column) => column.labelled) ?? [];
      const columns = labelled.map(({ name, attribute }) => ({ column: name, attribute, masks: [], filtered }));
      return { kind: 'source', statement, table, columns, clear: [] };
    });
  });
  const explained = facts.statements.flatMap(({ explains }, position) => (explains ? [position] : []));
  return maskAtSource(text, { facts, obligations, explained }, (_column, reference) => expression(reference));
}

const read = (text: string, schema = 'public') => shop.read(text, { searchPath: ['pg_catalog', schema] });
/** What could be masked, where the statement can be read at all. */
const unread = (text: string): unknown => {
  try {
    return read(text).statements[0]?.sources;
  } catch {
    return undefined;
  }
};
const x = (): string => 'X';

const STAND_IN = (schema = 'public') =>
  `(SELECT s."id" AS "id", s."name" AS "name", X AS "email", s."tags" AS "tags", s."data" AS "data", s."boss" AS "boss" FROM "${schema}"."customers" AS s)`;

describe('masking at the source', () => {
  it.each([
    ['select upper(email) from customers', `select upper(email) from ${STAND_IN()} AS "customers"`],
    ['select upper(c.email) from public.customers as c', `select upper(c.email) from ${STAND_IN()} as c`],
    ['select upper(e) from customers c(a, b, e)', `select upper(e) from ${STAND_IN()} c(a, b, e)`],
    [
      'select upper(public.customers.email) from public /* here */ . customers -- there',
      `select upper(customers.email) from ${STAND_IN()} AS "customers" -- there`,
    ],
    [
      'select lower(email), (public.customers.*) is null from public.customers',
      `select lower(email), (customers.*) is null from ${STAND_IN()} AS "customers"`,
    ],
    ['table customers', `SELECT * FROM ${STAND_IN()} AS "customers"`],
    ['copy customers to stdout', `copy ${STAND_IN().replace('FROM ', 'FROM ONLY ')} to stdout`],
    [
      'copy customers (id, email) to stdout csv',
      'copy (SELECT s."id" AS "id", X AS "email" FROM ONLY "public"."customers" AS s) to stdout csv',
    ],
    [
      'select lower(email) from only (customers)',
      `select lower(email) from ${STAND_IN().replace('FROM ', 'FROM ONLY ')} AS "customers"`,
    ],
    [
      "select 'grüße 😀', lower(email) from customers",
      `select 'grüße 😀', lower(email) from ${STAND_IN()} AS "customers"`,
    ],
    ...[
      ['explain', 'EXPLAIN (COSTS false)'],
      ['explain analyze verbose', 'EXPLAIN (ANALYZE, VERBOSE, COSTS false)'],
      ['explain (costs on, format json)', 'explain (costs on, format json, COSTS false)'],
      ['select 1; explain /* x */ verbose', 'select 1; EXPLAIN (VERBOSE, COSTS false)'],
    ].map(([said, sent]) => [
      `${said} select lower(email) from customers`,
      `${sent} select lower(email) from ${STAND_IN()} AS "customers"`,
    ]),
    [
      'explain (select lower(email) from customers)',
      `EXPLAIN (COSTS false) (select lower(email) from ${STAND_IN()} AS "customers")`,
    ],
    [
      'declare c cursor for select lower(email) from customers',
      `declare c cursor for select lower(email) from ${STAND_IN()} AS "customers"`,
    ],
  ])('%s', (text, expected) => {
    expect(masked(text, read(text), x)).toBe(expected);
  });

  it('lets filters that were permitted see the value, under a name no statement can say', () => {
    const text = "select lower(email) from customers c where c.email = 'a' or email in ('b')";
    const sent = masked(text, read(text), x, true);
    expect(sent).toMatch(/where c\."sallyport_raw_\d+_3" = 'a' or "sallyport_raw_\d+_3" in \('b'\)$/);
    expect(sent).toMatch(/, s\."email" AS "sallyport_raw_\d+_3" FROM/);
    for (const said of [
      "select sallyport_raw_4_3, lower(email) from customers c, json_to_record($$$$) as (a int) where email = 'a'",
      "select lower(email) from customers c join orders o using (sallyport_raw_4_3) where email = 'a'",
      "select lower(email) from customers c where email = 'a' and U&'sallyport\\005fraw_' = 'b'",
    ]) {
      expect(unread(said)).toBeUndefined();
    }
    const [site] =
      read("select lower(email) from customers c(id) where email = 'a'").statements[0]?.sources?.sites ?? [];
    expect(site?.whole).toBe(true);
  });

  it.each([
    ['a sampled relation', 'select lower(email) from customers tablesample system (50)'],
    ['one grouped by its key', 'select id, lower(email) from customers group by id'],
    ['a name spelled with escapes', 'select lower(email) from U&"customers"'],
    ['whole rows under other names', 'select to_json(c) from customers c(a, b)'],
    ['system columns beside whole rows', 'select ctid, c from customers c'],
    ['a statement that writes', 'with w as (delete from orders where id = 1) select lower(email) from customers'],
    ['what goes into a table', 'create table t as select lower(email) from customers'],
    ['one place that cannot be cut out', 'select lower(a.email) from customers a, customers b tablesample system (1)'],
  ])('leaves alone %s', (_name, text) => {
    expect(read(text).statements[0]?.sources).toBeUndefined();
  });

  it('changes nothing but what stands in FROM', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5039), { minLength: 25, maxLength: 80 }), (choices) => {
        const text = generateQuery(choices);
        const facts = read(text, 'one');
        const sent = masked(text, facts, x);
        expect(JSON.stringify(restored(parse(sent))), text).toBe(JSON.stringify(restored(parse(text))));
      }),
      { numRuns: 300 * EFFORT },
    );
  });

  it('answers as a database would that holds the masks instead of the values', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5039), { minLength: 25, maxLength: 80 }), async (choices) => {
        const text = generateQuery(choices);
        const sent = masked(text, read(text, 'one'), (reference) => `'m' || length(${reference})`);
        fc.pre(sent !== text);
        expect(await answer(sent, 'one'), sent).toEqual(await answer(text, 'masked'));
        compared += 1;
      }),
      { numRuns: 300 * EFFORT },
    );
    expect(compared).toBeGreaterThan(100);
  });
});

async function answer(text: string, schema: string): Promise<string[]> {
  await client.query(`set search_path = ${schema}`);
  try {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
    return rows.map((row) => JSON.stringify(row)).toSorted();
  } catch (error) {
    return [(error as { code?: string }).code ?? ''];
  }
}

/** The tree without places in the text, with every stand-in taken for its relation. */
function restored(value: Value | undefined): Value {
  if (Array.isArray(value)) return value.map(restored);
  if (!isTree(value)) return value ?? null;
  const subselect = bodyOf(value, 'RangeSubselect');
  const query = subselect && bodyOf(subselect['subquery'], 'SelectStmt');
  const [only] = query ? listAt(query, 'fromClause') : [];
  const stood = bodyOf(only, 'RangeVar');
  if (subselect && stood && textAt(treeAt(stood, 'alias') ?? {}, 'aliasname') === 's') {
    return relationOf(stood, treeAt(subselect, 'alias'));
  }
  const range = bodyOf(value, 'RangeVar');
  if (range) return relationOf(range, treeAt(range, 'alias'));
  const fields = Object.entries(value).filter(([name]) => !/location$|^list_(start|end)$/.test(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, restored(field)]));
}

function relationOf(range: Tree, alias: Tree | undefined): Value {
  const name = textAt(range, 'relname');
  return { RangeVar: { relname: name, alias: textAt(alias ?? {}, 'aliasname') || name } };
}
