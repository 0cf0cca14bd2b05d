import type { Choices } from './choices.ts';
import { type Expression, Expressions, type Nesting } from './expressions.ts';
import { type From, Froms, type Surroundings } from './from.ts';
import type { Field, Source, Type } from './relations.ts';

export interface Query {
  readonly text: string;
  readonly fields: readonly Field[];
}

const TYPES: readonly Type[] = ['text', 'int', 'text', 'date', 'numeric', 'bool', 'jsonb'];

/** Queries that are valid by construction and whose answer, as a set, is the same in whatever order rows are met. */
export class Queries implements Nesting {
  readonly #choices: Choices;
  readonly expressions: Expressions;
  readonly #froms: Froms;
  #ctes: readonly Source[] = [];

  constructor(choices: Choices) {
    this.#choices = choices;
    this.expressions = new Expressions(choices, this);
    this.#froms = new Froms(choices, this.expressions);
  }

  query(outer: readonly Source[], depth: number): Query {
    if (depth > 0 && this.#choices.once(8)) return this.#with(outer, depth);
    if (depth > 0 && this.#choices.once(9)) return this.#setOperation(outer, depth);
    return this.select(outer, depth);
  }

  scalar(scope: readonly Source[], type: Type, depth: number): Expression {
    const { text: from, sources } = this.#from([], 0);
    const inside = [...scope, ...sources];
    const where = this.#where(inside, depth);
    const value = this.expressions.make(type, { scope: inside, depth, open: false });
    const call = {
      int: [`max(${value.text})`, `count(distinct ${value.text})::int`],
      text: [`max(${value.text})`, `string_agg(${value.text}, ' ' order by ${value.text} collate "C")`],
      date: [`min(${value.text})`],
      numeric: [`sum(${value.text})`, `avg(${value.text})`],
      bool: [`bool_or(${value.text})`],
      jsonb: [`jsonb_agg(${value.text} order by ${value.text}::text collate "C")`],
      texts: [`array_agg(${value.text}::text order by ${value.text}::text collate "C")`],
    }[type];
    return {
      text: `(select ${this.#choices.of(call)} from ${from}${where.text})`,
      covered: value.covered || where.covered,
    };
  }

  exists(scope: readonly Source[], depth: number): Expression {
    const { text: from, sources } = this.#from([], 0);
    const where = this.#where([...scope, ...sources], depth);
    if (this.#choices.once(2)) {
      const key = this.expressions.make('int', { scope, depth: 0, open: true });
      const value = this.expressions.make('int', { scope: sources, depth: 0, open: true });
      return { text: `${key.text} in (select ${value.text} from ${from}${where.text})`, covered: where.covered };
    }
    return { text: `exists (select from ${from}${where.text})`, covered: where.covered };
  }

  /** With `types`, exactly these columns. */
  select(outer: readonly Source[], depth: number, types?: readonly Type[]): Query {
    const from = this.#from(outer, depth);
    const scope = [...outer, ...from.sources];
    const where = this.#where(scope, depth).text;
    const [only] = from.sources;
    const single = only !== undefined && from.sources.length === 1;
    if (types === undefined && this.#choices.once(6)) return this.#grouped(from, where, depth);
    if (types === undefined && single && this.#choices.once(6)) {
      const star = this.#choices.of(['*', `${only.alias}.*`]);
      return { text: `select ${star} from ${from.text}${where}${this.#paged(only)}`, fields: only.fields };
    }
    const wanted = types ?? Array.from({ length: 1 + this.#choices.pick(3) }, () => this.#choices.of(TYPES));
    const outputs = wanted.map((type) => this.#output(type, scope, depth));
    const fields = outputs.map(({ covered }, index): Field => {
      return { name: this.#choices.name(), type: wanted[index] ?? 'text', covered };
    });
    const targets = outputs.map(({ text }, index) => `${text} as ${fields[index]?.name}`).join(', ');
    const distinct = outputs.every(({ covered }) => !covered) && this.#choices.once(5);
    const tail = distinct || !single ? '' : this.#paged(only);
    return { text: `select ${distinct ? 'distinct ' : ''}${targets} from ${from.text}${where}${tail}`, fields };
  }

  #from(outer: readonly Source[], depth: number): From {
    const around: Surroundings = { outer, ctes: this.#ctes, depth, query: (scope, left) => this.query(scope, left) };
    return this.#froms.from(around);
  }

  #output(type: Type, scope: readonly Source[], depth: number): Expression {
    const value = this.expressions.make(type, { scope, depth, open: false });
    const key = scope.find(({ keyed }) => keyed)?.alias;
    if (key === undefined || !this.#choices.once(8)) return value;
    if (scope.length > 1)
      return type === 'int' ? { text: `(rank() over (order by ${key}.id))::int`, covered: false } : value;
    const window = this.#choices.of([
      'over (order by {}.id)',
      'over (partition by {}.id)',
      'over (order by {}.id rows between 1 preceding and 1 following)',
    ]);
    const name = type === 'texts' ? 'text[]' : type;
    return { text: `(max(${value.text}::text) ${window.replace('{}', key)})::${name}`, covered: value.covered };
  }

  #grouped(from: From, where: string, depth: number): Query {
    const { sources, relation } = from;
    const [only] = sources;
    const [k, n] = [this.#choices.name(), this.#choices.name()];
    if (only !== undefined && relation?.primary === true && only.keyed && this.#choices.once(3)) {
      // Other columns may stand beside a primary key that is grouped by.
      const value = this.expressions.make('text', { scope: [only], depth: Math.min(depth, 1), open: false });
      const text = `select ${value.text} as ${k}, count(*)::int as ${n} from ${from.text}${where} group by ${only.alias}.id`;
      return { text, fields: [field(k, 'text', value.covered), field(n, 'int', false)] };
    }
    const open = !this.#choices.once(12);
    const key = this.expressions.make(this.#choices.of(['text', 'int']), { scope: sources, depth: 0, open });
    const value = this.expressions.make('text', { scope: sources, depth, open: false });
    const aggregate = this.#choices.of([
      `max(${value.text})`,
      `count(${value.text})::text`,
      `string_agg(${value.text}, ',' order by ${value.text} collate "C")`,
      `jsonb_agg(${value.text} order by ${value.text} collate "C")::text`,
      `min(${value.text}) filter (where ${value.text} is not null)`,
      `array_agg(${value.text} order by ${value.text} collate "C")::text`,
      `count(distinct ${value.text})::text`,
      `(percentile_disc(0.5) within group (order by length(${value.text})))::text`,
    ]);
    const having = this.#choices.once(4) ? ` having count(*) > ${this.#choices.pick(3)}` : '';
    const text = `select (${key.text})::text as ${k}, ${aggregate} as ${n} from ${from.text}${where} group by 1${having}`;
    return { text, fields: [field(k, 'text', key.covered), field(n, 'text', value.covered)] };
  }

  #paged({ alias, keyed, table }: Source): string {
    if (!keyed || !this.#choices.once(4)) return '';
    const direction = this.#choices.of(['', ' desc']);
    const limit = this.#choices.of(['', ' limit 3', ' offset 2 limit 4', ' fetch first 2 rows only']);
    const lock = table === true && this.#choices.once(4) ? ' for share' : '';
    return ` order by ${alias}.id${direction}${limit}${lock}`;
  }

  #where(scope: readonly Source[], depth: number): Expression {
    if (!this.#choices.once(3)) return { text: '', covered: false };
    const { text, covered } = this.expressions.condition(scope, depth);
    return { text: ` where ${text}`, covered };
  }

  #with(outer: readonly Source[], depth: number): Query {
    const shadow = this.#choices.once(6) && !this.#ctes.some(({ alias }) => alias === 'customers');
    const name = shadow ? 'customers' : this.#choices.name();
    const { text, fields } = this.#choices.once(4) && !shadow ? this.#recursive(name) : this.query([], depth - 1);
    const before = this.#ctes;
    this.#ctes = [...before, { alias: name, fields, keyed: false }];
    const body = this.select(outer, depth - 1);
    this.#ctes = before;
    const recursive = text.includes(` from ${name} join `) ? 'recursive ' : '';
    const columns = recursive === '' ? '' : '(a, b)';
    const how = this.#choices.of(['', '', 'materialized ']);
    return { text: `with ${recursive}${name}${columns} as ${how}(${text}) ${body.text}`, fields: body.fields };
  }

  #recursive(name: string): Query {
    const start = this.#choices.name();
    const base = this.#from([], 0);
    const first = this.expressions.make('text', { scope: base.sources, depth: 1, open: false });
    const last: Source = { alias: name, keyed: false, fields: [field('a', 'int', true), field('b', 'text', true)] };
    const joined: Source = {
      alias: 'x',
      keyed: true,
      fields: [field('id', 'int', false), field('email', 'text', true)],
    };
    const next = this.expressions.make('text', { scope: [last, joined], depth: 1, open: false });
    const text = `select 1 as ${start}, (${first.text})::text from ${base.text} union all select ${name}.a + 1, (${next.text})::text from ${name} join customers x on x.id = ${name}.a where ${name}.a < 4`;
    return { text, fields: last.fields };
  }

  #setOperation(outer: readonly Source[], depth: number): Query {
    const types = [this.#choices.of(TYPES), 'int' as const];
    const [left, right] = [this.select(outer, depth - 1, types), this.select(outer, depth - 1, types)];
    const covered = [...left.fields, ...right.fields].some((one) => one.covered);
    const operator = covered ? 'union all' : this.#choices.of(['union all', 'union', 'except', 'intersect']);
    const fields = left.fields.map((one) => ({ ...one, covered }));
    return { text: `(${left.text}) ${operator} (${right.text})`, fields };
  }
}

function field(name: string, type: Type, covered: boolean): Field {
  return { name, type, covered };
}
