import { beforeAll, describe, expect, it } from 'vitest';
import type { SqlFacts } from '../../core/facts.ts';
import { freshScope, snapshotOf, textTable } from '../../core/testing/catalog.ts';
import { CatalogIndex } from './catalog-index.ts';
import { readLineage } from './lineage.ts';
import { loadParser } from './parser.ts';
import { readSql } from './read.ts';

const many = (count: number, piece: (n: number) => string, joint = ', '): string =>
  Array.from({ length: count }, (_, n) => piece(n)).join(joint);

const snapshot = snapshotOf([
  textTable(1, 'wide', 1_600, 10),
  ...Array.from({ length: 200 }, (_, n) => textTable(1_000 + n, `t${n}`, 20, 10)),
]);
const catalog = new CatalogIndex(snapshot);
const read = (text: string): SqlFacts => readSql(text, { scope: freshScope, catalog, digest: (each) => each });

beforeAll(loadParser);

describe('what reading a text may hold', () => {
  it.each([
    ['every column of a wide table', 'select * from wide', 1_600],
    [
      'each of them by name',
      `select ${many(1_600, (n) => `w.a${n}`)} from wide w order by ${many(900, (n) => `a${n}`)}`,
    ],
    ['forty whole rows of it', `select ${many(40, () => 'to_json(w)')} from wide w`, 1_600],
    ['two wide tables compared whole', 'select * from wide natural join (select * from wide) again', 3_200],
    ["an ORM's join of 500 columns", orm(50, 10), 598],
    ['250 joins', orm(250, 1)],
    ['100 WITH queries, each from the last', `with ${many(100, linked)} select * from c99`, 21],
    ['100 wide WITH queries', `with c0 as (table wide), ${many(99, (n) => `c${n + 1} as (table c${n})`)} table c99`],
    ['200 tables in one UNION ALL', many(200, (n) => `select * from t${n}`, ' union all '), 4_000],
    ['an IN list of 1,000', `select * from wide where a1 in (${many(1_000, (n) => `'${n}'`)})`, 1_601],
    ['an INSERT of 10,000 rows', `insert into t0 values ${many(10_000, () => "(1, 'a', null)")}`, 3],
    ['1,000 statements', many(1_000, (n) => `select * from t${n % 200}`, '; '), 20_000],
    ['5,000 comparisons', `select 1 from wide where ${many(5_000, () => 'a1 = any($1)', ' or ')}`, 1],
  ])('is enough for %s', (_name, text, columns?: number) => {
    const found = read(text).statements.reduce((all, statement) => all + statement.columns.length, 0);
    expect(found).toBe(columns ?? found);
    expect(found).toBeGreaterThan(0);
  });

  const doubled = many(20, (n) => `, c${n + 1} as (select x.*, x.* from c${n} x)`, '');

  it.each([
    ['rows turned into values', `select ${many(30_000, () => 'to_json(w)')} from wide w`],
    ['rows inside one value', `select row(${many(30_000, () => 'w')}) from wide w`],
    ['stars', `select ${many(30_000, () => '*')} from wide w`],
    ['stars of a subquery', `select 1 from (select ${many(30_000, () => 'w.*')} from wide w) x`],
    ['columns that double', `with c0 as (select w.*, w.* from wide w)${doubled} select 1 from c20`],
    ['tables side by side', `select 1 from ${many(20_000, (n) => `wide w${n}`)}`],
    ['statements', many(20_000, () => 'table wide', '; ')],
    ['writes that return everything', many(10_000, () => "delete from wide where a1 = '' returning *", '; ')],
    ['queries that are read twice', `${nested(40)}`],
  ])('is not enough for %s without end', (_name, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'PROTOCOL_LIMIT' }));
  });

  it('is not enough for a view that would be read for ever', () => {
    const exists = many(60, (n) => `exists (select 1 from public.t${n} where `, '');
    const text = `select ${exists}true${')'.repeat(60)} as x`;
    expect(readLineage({ view: 1, text, columns: [1] }, catalog)).toBeUndefined();
  });

  it('is told in a sentence, and the next text starts anew', () => {
    const text = `select ${many(30_000, () => 'to_json(w)')} from wide w`;
    expect(() => read(text)).toThrow('a statement may not use so many columns in so many places at once');
    expect(read('select a1 from wide').statements[0]?.columns).toHaveLength(1);
  });
});

function orm(tables: number, columns: number): string {
  const outputs = many(tables, (n) => many(columns, (c) => `j${n}.a${c} as a${n}_${c}`));
  const joins = many(tables - 1, (n) => `left join t${(n + 1) % 200} j${n + 1} on j${n + 1}.a11 = j${n}.a10`, ' ');
  return `select ${outputs} from t0 j0 ${joins}`;
}

function linked(n: number): string {
  return n === 0 ? 'c0 as (select * from t0)' : `c${n} as (select *, a1 || 'x' as b${n} from c${n - 1})`;
}

function nested(depth: number): string {
  const open = many(depth, () => 'with recursive r as (select 1 from (', '');
  return `${open}select 1${many(depth, () => ') x union select 1 from r) select * from r', '')}`;
}
