import { Choices } from './choices.ts';
import { Queries } from './queries.ts';
import { RELATIONS, type Source } from './relations.ts';

/** Statements to be sent one after the other in a transaction that is taken back, or a single one outside of any. */
export interface Generated {
  readonly lines: readonly string[];
  readonly transaction: boolean;
}

export function generate(numbers: readonly number[]): Generated {
  const choices = new Choices(numbers);
  const queries = new Queries(choices);
  const kind = choices.pick(20);
  const query = () => queries.query([], 3).text;
  const alone = (text: string): Generated => ({ lines: [text], transaction: false });
  const together = (...lines: string[]): Generated => ({ lines, transaction: true });
  switch (kind) {
    case 12:
      return alone(
        `explain (${choices.of(['costs off', 'verbose, costs off', 'verbose', 'format json', 'generic_plan'])}) ${query()}`,
      );
    case 13:
      return alone(
        `explain (analyze, timing off, summary off, buffers off${choices.of(['', ', costs off', ', verbose'])}) ${query()}`,
      );
    case 14: {
      const options = choices.of([
        '',
        ' with (format csv, header)',
        ' (format csv, force_quote *)',
        ' with (format binary)',
      ]);
      return alone(`copy (${query()}) to stdout${options}`);
    }
    case 15: {
      const { name } = choices.of(
        RELATIONS.filter(({ name }) => !/ |^(people|loud|eldest|open_orders|events)$/.test(name)),
      );
      return alone(`copy ${name} to stdout${choices.of(['', ' with (format csv)'])}`);
    }
    case 16:
      return together(`prepare p as ${query()}`, 'execute p', 'execute p', 'deallocate p');
    case 17:
      return together(
        `declare c ${choices.of(['', 'scroll ', 'insensitive '])}cursor for ${query()}`,
        choices.of(['fetch 3 from c', 'move 2 in c', 'fetch all from c']),
        'fetch all from c',
        'close c',
      );
    case 18:
    case 19:
      return together(written(choices, queries));
    default:
      return alone(query());
  }
}

const ORDER: Source = {
  alias: 'orders',
  keyed: true,
  fields: [
    { name: 'id', type: 'int', covered: false },
    { name: 'total', type: 'numeric', covered: false },
    { name: 'status', type: 'text', covered: false },
  ],
};

/** Writes to tables without labels, with whatever may be put into them or asked back. */
function written(choices: Choices, queries: Queries): string {
  const value = (scope: readonly Source[]) =>
    queries.expressions.make('text', { scope, depth: 2, open: choices.once(3) }).text;
  const back = (scope: readonly Source[]) => (!choices.once(3) ? ` returning ${value(scope)}, orders.id` : '');
  const joined = choices.once(2);
  const other: Source = { alias: 'c', keyed: true, fields: RELATIONS[0]?.fields ?? [] };
  const scope = joined ? [ORDER, other] : [ORDER];
  const condition = queries.expressions.condition(scope, 1).text;
  switch (choices.pick(5)) {
    case 4:
      return `with w as (update orders set status = 'x' where id in (2, 3) returning ${value([ORDER])} as v, id) select w.v, ${value([{ ...other, alias: 'd' }])} from w join customers d on d.id = w.id`;
    case 0:
      return `update orders set status = ${value(scope)}${joined ? ' from customers c' : ''} where orders.id = ${1 + choices.pick(9)}${joined ? ' and c.id = orders.customer_id' : ''} and ${condition}${back(scope)}`;
    case 1:
      return `delete from orders${joined ? ' using customers c' : ''} where orders.id in (1, 5)${joined ? ' and c.id = orders.customer_id' : ''} and ${condition}${back(scope)}`;
    case 2:
      return `insert into orders (customer_id, total, status) values (1, 2, ${value([])})${back([ORDER])}`;
    default:
      return `insert into orders (customer_id, total, note) select c.id, 3, ${value([other])} from customers c where ${queries.expressions.condition([other], 1).text}${back([ORDER])}`;
  }
}
