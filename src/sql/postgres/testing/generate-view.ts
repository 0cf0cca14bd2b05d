import fc from 'fast-check';

/**
 * Queries for views over c (id, name, email, boss) and o (id, c, total, note) whose rows hang on keys alone, so that
 * changing anything else changes values and never which rows there are. The first column is a key and orders the rows.
 */
export function generateView(): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom(...FRAMES),
      fc.array(fc.oneof({ weight: 3, arbitrary: expression(3) }, windowed()), { minLength: 1, maxLength: 4 }),
    )
    .map(([frame, expressions]) => {
      const list = expressions.map((each, n) => `${each} as x${n}`).join(', ');
      return frame(
        list,
        expressions.map((_, n) => `x${n}`),
      );
    });
}

const SOURCE = 'c join o on o.id = c.id';

const FRAMES: readonly ((list: string, names: readonly string[]) => string)[] = [
  (list) =>
    `select c.id as k, ${list}, lead(c.name) over v as r from ${SOURCE} window w as (partition by o.total > 20), v as (w order by c.email, c.id)`,
  (list) => `select distinct on (c.id) c.id as k, ${list} from ${SOURCE} order by c.id`,
  (list) => `select c.id as k, ${list} from ${SOURCE}`,
  (list, names) =>
    `select k, ${names.join(' || ')} as y, ${names[0]} as z from (select c.id as k, ${list} from ${SOURCE}) s`,
  (list, names) =>
    `with s as (select c.id as k, ${list} from ${SOURCE}) select s.k, ${names.map((name) => `s.${name}`).join(', ')}, t.k as j from s join s t using (k)`,
  (list, names) =>
    `select k, ${names.map((name) => `max(${name}) as ${name}`).join(', ')} from (select c.id as k, ${list} from ${SOURCE}) s group by k`,
  (list) => `select c.id as k, ${list} from ${SOURCE} union all select c.id + 10, ${list} from ${SOURCE}`,
  (list, names) =>
    `select c.id as k, s.* from c cross join lateral (select ${list} from o where o.id = c.id) s (${names.join(', ')})`,
];

const COLUMNS = ['c.name', 'c.email', 'c.boss::text', 'o.total::text', 'o.note', "'k'::text"] as const;

/** Not to stand inside other expressions: a window has no place in a condition. */
function windowed(): fc.Arbitrary<string> {
  const inner = expression(1);
  return fc.oneof(
    fc.tuple(inner, inner).map(([a, b]) => `rank() over (partition by ${a} order by ${b}, c.id)::text`),
    fc.tuple(inner, inner).map(([a, b]) => `lag(${a}) over (order by ${b}, c.id)`),
    fc.tuple(inner, inner).map(([a, b]) => `count(*) filter (where ${a} > ${b}) over ()::text`),
  );
}

/** All of them are text. */
function expression(depth: number): fc.Arbitrary<string> {
  const column = fc.constantFrom(...COLUMNS);
  if (depth === 0) return column;
  const inner = expression(depth - 1);
  return fc.oneof(
    { weight: 2, arbitrary: column },
    fc.tuple(inner, inner).map(([a, b]) => `(${a} || ${b})`),
    fc.tuple(inner, inner).map(([a, b]) => `coalesce(nullif(${a}, ${b}), 'none')`),
    fc.tuple(inner, inner, inner).map(([a, b, c]) => `case when ${a} > ${b} then ${c} else 'less' end`),
    inner.map((a) => `upper(${a})`),
    inner.map((a) => `(select count(*)::text from o i where i.note < ${a})`),
    inner.map((a) => `exists (select from c i where i.email > ${a})::text`),
    inner.map((a) => `(select string_agg(i.name, ',' order by i.email) from c i where i.id < 3 and ${a} is not null)`),
    fc.constant('(select to_json(i)::text from c i where i.id = 2)'),
  );
}
