import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateQuery } from './testing/generate.ts';
import { type RealShop, startShop } from './testing/real.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

// Two worlds, alike in everything but the labelled column. A query whose facts do not mention it answers alike in both,
// and one that only reads it differs in nothing but cells that RowDescription traces to it.

let shop: RealShop;
let client: pg.Client;
let labelled: Set<string>;

const WORLD = (schema: string, email: string) => `
  create schema ${schema};
  create table ${schema}.customers (id int, name text, email text, boss int);
  create table ${schema}.orders (id int, customer_id int, note text);
  create table ${schema}.people (id int, email text, note text);
  insert into ${schema}.customers select i, 'name ' || i, ${email}, i / 2 from generate_series(1, 5) i;
  insert into ${schema}.orders select i, i / 2, 'a' || i from generate_series(1, 6) i;
  insert into ${schema}.people select i, 'a' || i, 'name ' || i from generate_series(1, 4) i;
`;

beforeAll(async () => {
  shop = await startShop({
    before: WORLD('one', "'a' || i") + WORLD('two', "case when i <> 3 then repeat('b', i) end"),
    label: '*.customers.email',
  });
  client = new pg.Client({ ...shop.server, database: 'postgres', statement_timeout: 2_000 });
  await client.connect();
  const { rows } = await client.query<{ key: string }>(
    `select attrelid || ' ' || attnum as key from pg_attribute where attname = 'email'
     and attrelid in ('one.customers'::regclass, 'two.customers'::regclass)`,
  );
  labelled = new Set(rows.map((row) => row.key));
});

afterAll(async () => {
  await client?.end();
  await shop?.stop();
});

/** The answer as a multiset of rows, without cells that come straight from the labelled column. */
async function answer(text: string, schema: string): Promise<string[]> {
  await client.query(`set search_path = ${schema}`);
  const { rows, fields } = await client.query<unknown[]>({ text, rowMode: 'array' });
  const shown = fields.flatMap((field, index) => (labelled.has(`${field.tableID} ${field.columnID}`) ? [] : [index]));
  return rows.map((row) => JSON.stringify(shown.map((index) => row[index]))).toSorted();
}

/** Aggregates of an outer level and the like: the generator knows names and types, not all rules. */
async function valid(text: string): Promise<boolean> {
  await client.query('set search_path = one');
  try {
    await client.query(`explain ${text}`);
    return true;
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (/^(42601|42P10|42803|42P20|42804|42P18|42883)$/.test(code)) return false;
    throw error;
  }
}

describe('facts of generated queries', () => {
  it('mention the labelled column wherever it makes a difference, and every relation the server sees', async () => {
    let untouched = 0;
    let only = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5039), { minLength: 25, maxLength: 80 }), async (choices) => {
        const text = generateQuery(choices);
        fc.pre(await valid(text));
        const [statement] = shop.read(text, { searchPath: ['pg_catalog', 'one'] }).statements;
        const uses = new Set(statement?.columns.filter(({ labels }) => labels.length > 0).map(({ use }) => use) ?? []);
        if (!uses.has('derive') && !uses.has('filter')) {
          if (uses.has('read')) only += 1;
          else untouched += 1;
          expect(await answer(text, 'two'), text).toEqual(await answer(text, 'one'));
        }
        await client.query('set search_path = one');
        await client.query(`create temp view seen as select 1 from (${text}) as wrapped`);
        const { rows } = await client.query<{ name: string }>(
          `select distinct d.refobjid::regclass::text as name from pg_depend d join pg_rewrite r on r.oid = d.objid
           where r.ev_class = 'seen'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class`,
        );
        await client.query('drop view seen');
        const relations = statement?.uses
          .filter(({ action }) => action === 'select')
          .map(({ resource }) => resource.path[3]);
        expect(relations?.toSorted(), text).toEqual(rows.map((row) => row.name).toSorted());
      }),
      { numRuns: 400 * EFFORT },
    );
    // Or the property would hold for nothing.
    expect(untouched).toBeGreaterThan(20);
    expect(only).toBeGreaterThan(5);
  });
});
