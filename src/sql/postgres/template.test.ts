import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault } from '../../core/fault.ts';
import { tokens } from './lexer.ts';
import { templateOf } from './template.ts';
import { EVASIONS } from './testing/evasions.ts';
import { generateQuery } from './testing/generate.ts';
import { type RealShop, startShop } from './testing/real.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

let shop: RealShop;
beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop?.stop());

const EVERYDAY = [
  'SELECT abalance FROM pgbench_accounts WHERE aid = 12345;',
  'select id, email from customers where id = 7 limit 10 offset 20',
  'update orders set total = total + 25 where id = 3',
  'update orders set total = 0',
  'delete from orders where id in (1, 2, 3)',
  'delete from orders where 1 = 1',
  'insert into orders (id, customer_id, total) values (9, 1, 12.50), (10, 2, 0.5)',
  'select total * 100 / 3 - 1 from orders where id between 1 and 5 and total > 2.5',
  "select nextval('s'), 5 from orders where status = 'open' and id = 4",
  'select tags[1], data -> 2 from customers where id = 1',
  'select (select max(total) from orders where customer_id = 5) from customers where id = 6 -- 7',
  'select cast(1 as numeric(10, 2)), total::numeric(8, 3) from orders where id = 2',
  'select * from generate_series(1, 100, 2) g where g > 50',
  'select case when id = 1 then 2 else 3 end from orders where total >= 4 or id <> 5',
  'select * from orders where (id, customer_id) = (1, 2)',
  'select * from orders where id = any (array[1, 2, 3]) for update',
  'select 0 from secrets where id = 0',
];

/** The text with each plain number replaced by the next of these. */
function renumbered(text: string, numbers: readonly string[]): string {
  let out = '';
  let from = 0;
  let at = 0;
  for (const { kind, start, end } of tokens(text)) {
    if (kind !== 'number' || !/^\d{1,15}(\.\d{1,15})?$/.test(text.slice(start, end))) continue;
    out += text.slice(from, start) + (numbers[at++ % numbers.length] ?? '1');
    from = end;
  }
  return out + text.slice(from);
}

function reading(text: string): unknown {
  try {
    return shop.read(text);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.code;
    throw thrown;
  }
}

describe('a template', () => {
  const number = fc.oneof(
    fc.nat(3).map(String),
    fc.nat(2 ** 40).map(String),
    fc.tuple(fc.nat(99), fc.nat(99)).map(([a, b]) => `${a}.${b}`),
  );
  const numbers = fc.array(number, { minLength: 1, maxLength: 6 });

  it('stands for texts with the same facts, whatever the numbers', () => {
    const known = [...EVERYDAY, ...EVASIONS.map(([text]) => text)].filter((text) => templateOf(text) !== undefined);
    expect(known.length).toBeGreaterThan(EVERYDAY.length + 20);
    const generated = fc
      .array(fc.nat(1000), { minLength: 10, maxLength: 60 })
      .map((choices) => `${generateQuery(choices)} limit 5`);
    let compared = 0;
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...known), generated), numbers, (text, given) => {
        const other = renumbered(text, given);
        if (templateOf(text) === undefined) return;
        expect(templateOf(other)).toBe(templateOf(text));
        const [one, two] = [reading(text), reading(other)];
        if (typeof one === 'string' || typeof two === 'string') return; // a Fault is not remembered
        expect(two, other).toEqual(one);
        compared += 1;
      }),
      { numRuns: 3_000 * EFFORT },
    );
    expect(compared).toBeGreaterThan(1_000);
  });

  it.each([
    'select name, email from customers order by 2',
    'select name from customers group by 1',
    'select distinct on (1) name from customers',
    'select 1; set standard_conforming_strings = 0',
    'set work_mem = 5',
    'with x as (select 1) select * from x',
    'explain select 1',
    "select 'no number'",
    "select 1 where 'unterminated",
    'copy orders to stdout (header 1)',
    'create table t (a numeric(10, 2))',
  ])('is not made of %s', (text) => {
    expect(templateOf(text)).toBeUndefined();
  });

  it('keeps apart what differs in anything but plain numbers', () => {
    const texts = [
      'select a from t where b = 1',
      'select a from t where b = x1',
      "select a from t where b = '1'",
      'select a from t where b = 0x1',
      'select a from t where b = $1',
      'select A from t where b = 1',
      'select a from t where b =  1',
    ];
    const made = texts.map((text) => templateOf(text) ?? text);
    expect(new Set(made).size).toBe(texts.length);
  });
});
