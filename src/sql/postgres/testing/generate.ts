/**
 * Queries from a list of numbers, so that shrinking the list makes the query smaller. They use customers (id, name,
 * email, boss), orders (id, customer_id, note) and people (id, email, note), compute nothing that depends on physical
 * order, and are valid by construction.
 */
type Type = 'int' | 'text';
interface Field {
  readonly name: string;
  readonly type: Type;
}
interface Source {
  readonly alias: string;
  readonly fields: readonly Field[];
}
interface Query {
  readonly text: string;
  readonly fields: readonly Field[];
}

const TABLES: Readonly<Record<string, readonly Field[]>> = {
  customers: [
    { name: 'id', type: 'int' },
    { name: 'name', type: 'text' },
    { name: 'email', type: 'text' },
    { name: 'boss', type: 'int' },
  ],
  orders: [
    { name: 'id', type: 'int' },
    { name: 'customer_id', type: 'int' },
    { name: 'note', type: 'text' },
  ],
  people: [
    { name: 'id', type: 'int' },
    { name: 'email', type: 'text' },
    { name: 'note', type: 'text' },
  ],
};

export function generateQuery(choices: readonly number[]): string {
  return new Generator(choices).query([], [], 3).text;
}

class Generator {
  readonly #choices: readonly number[];
  #at = 0;
  #names = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  /** Below `count`; 0, the simplest, once the numbers are used up. */
  #pick(count: number): number {
    return (this.#choices[this.#at++] ?? 0) % count;
  }

  #of<T>(list: readonly T[]): T {
    const found = list[this.#pick(list.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }

  #name(): string {
    this.#names += 1;
    return `n${this.#names}`;
  }

  query(outer: readonly Source[], ctes: readonly Source[], depth: number): Query {
    if (depth > 0 && this.#pick(6) === 1) {
      const name = this.#name();
      const inner = this.query([], ctes, depth - 1);
      const body = this.#select(outer, [...ctes, { alias: name, fields: inner.fields }], depth - 1);
      return { text: `with ${name} as (${inner.text}) ${body.text}`, fields: body.fields };
    }
    if (depth > 0 && this.#pick(7) === 1) return this.#setOperation(outer, ctes, depth);
    return this.#select(outer, ctes, depth);
  }

  #setOperation(outer: readonly Source[], ctes: readonly Source[], depth: number): Query {
    const sides = [this.#select(outer, ctes, depth - 1, 2), this.#select(outer, ctes, depth - 1, 2)];
    const operator = this.#of(['union all', 'union', 'except', 'intersect', 'except all']);
    return { text: `(${sides[0]?.text}) ${operator} (${sides[1]?.text})`, fields: sides[0]?.fields ?? [] };
  }

  #select(outer: readonly Source[], ctes: readonly Source[], depth: number, width?: number): Query {
    const sources: Source[] = [];
    const from = this.#from(sources, outer, ctes, depth);
    const scope = [...outer, ...sources];
    const where = this.#pick(3) === 1 ? ` where ${this.#condition(scope, ctes, depth - 1)}` : '';
    const grouped = width === undefined && this.#pick(6) === 1;
    if (grouped) {
      const key = this.#expression(sources, [], 0, this.#of(['int', 'text'] as const));
      const [k, n] = [this.#name(), this.#name()];
      const fields: Field[] = [
        { name: k, type: 'text' },
        { name: n, type: 'text' },
      ];
      const having = this.#pick(4) === 1 ? ` having count(*) > ${this.#pick(3)}` : '';
      return {
        text: `select (${key})::text as ${k}, max(${this.#expression(scope, ctes, depth - 1, 'text')}) as ${n} from ${from}${where} group by (${key})${having}`,
        fields,
      };
    }
    if (width === undefined && this.#pick(4) === 1) {
      const fields = sources.flatMap((source) => source.fields);
      const unique = new Set(fields.map((field) => field.name)).size === fields.length;
      if (unique) return { text: `select * from ${from}${where}`, fields };
    }
    const fields: Field[] = [];
    const targets = Array.from({ length: width ?? 1 + this.#pick(3) }, () => {
      const name = this.#name();
      const type: Type = width === undefined ? this.#of(['int', 'text'] as const) : 'text';
      fields.push({ name, type });
      return `${this.#expression(scope, ctes, depth, type)} as ${name}`;
    });
    const distinct = this.#pick(8) === 1 ? 'distinct ' : '';
    const order = this.#pick(6) === 1 ? ` order by ${1 + this.#pick(fields.length)}` : '';
    return { text: `select ${distinct}${targets.join(', ')} from ${from}${where}${order}`, fields };
  }

  #from(sources: Source[], outer: readonly Source[], ctes: readonly Source[], depth: number): string {
    let text = this.#item(sources, outer, ctes, depth);
    for (let more = this.#pick(3); more > 1; more--) {
      const left = [...sources];
      const joined = this.#pick(4);
      const right = this.#item(sources, outer, ctes, depth - 1);
      const added = sources.slice(left.length);
      if (joined === 0) text += ` cross join ${right}`;
      else if (joined === 1) text += ` left join ${right} on ${this.#condition([...left, ...added], ctes, 0)}`;
      else text += ` join ${right} on ${this.#condition([...left, ...added], ctes, 0)}`;
    }
    return text;
  }

  #item(sources: Source[], outer: readonly Source[], ctes: readonly Source[], depth: number): string {
    const alias = this.#name();
    const kind = depth > 0 ? this.#pick(7) : 0;
    if (kind === 1 && ctes.length > 0) {
      const cte = this.#of(ctes);
      sources.push({ alias, fields: cte.fields });
      return `${cte.alias} as ${alias}`;
    }
    if (kind === 2) {
      const query = this.query([], ctes, depth - 1);
      sources.push({ alias, fields: query.fields });
      return `(${query.text}) as ${alias}`;
    }
    if (kind === 3 && sources.length > 0) {
      const query = this.query([...outer, ...sources], ctes, depth - 1);
      sources.push({ alias, fields: query.fields });
      return `lateral (${query.text}) as ${alias}`;
    }
    if (kind === 4 && sources.length > 0) {
      const argument = this.#expression(sources, ctes, 0, 'text');
      sources.push({ alias, fields: [{ name: alias, type: 'text' }] });
      return `unnest(array[${argument}]) as ${alias}`;
    }
    const table = this.#of(Object.keys(TABLES));
    const fields = TABLES[table] ?? [];
    if (kind === 5) {
      const renamed = fields.map(({ type }) => ({ name: this.#name(), type }));
      sources.push({ alias, fields: renamed });
      return `${table} as ${alias}(${renamed.map((field) => field.name).join(', ')})`;
    }
    sources.push({ alias, fields });
    return `${table} as ${alias}`;
  }

  #condition(scope: readonly Source[], ctes: readonly Source[], depth: number): string {
    const kind = this.#pick(depth > 0 ? 7 : 4);
    if (kind === 1) return `${this.#expression(scope, ctes, 0, 'text')} like '%a%'`;
    if (kind === 2) return `${this.#expression(scope, ctes, 0, 'text')} is null`;
    if (kind === 3) return `${this.#expression(scope, ctes, 0, 'int')} > ${this.#pick(3)}`;
    if (kind === 4) return `exists (${this.query(scope, ctes, depth - 1).text})`;
    if (kind === 5) {
      const inner = this.#select(scope, ctes, depth - 1, 1);
      return `${this.#expression(scope, ctes, 0, 'text')} in (${inner.text})`;
    }
    if (kind === 6) return `(${this.#condition(scope, ctes, depth - 1)} or ${this.#condition(scope, ctes, 0)})`;
    return `${this.#expression(scope, ctes, 0, 'int')} = ${this.#expression(scope, ctes, 0, 'int')}`;
  }

  #expression(scope: readonly Source[], ctes: readonly Source[], depth: number, type: Type): string {
    const kind = this.#pick(depth > 0 ? 9 : 4);
    const columns = scope.flatMap(({ alias, fields }) =>
      fields.filter((field) => field.type === type).map(({ name }) => ({ alias, name })),
    );
    if (columns.length === 0) return type === 'int' ? '1' : "'x'";
    const { alias, name } = this.#of(columns);
    const once = scope.filter((source) => source.fields.some((field) => field.name === name)).length === 1;
    const column = once && this.#pick(2) === 1 ? name : `${alias}.${name}`;
    switch (kind) {
      case 4:
        return `case when ${this.#condition(scope, ctes, depth - 1)} then ${column} end`;
      case 5: {
        const of = this.#select(scope, ctes, depth - 1, 1);
        return type === 'int'
          ? `(select count(*) from (${of.text}) as ${this.#name()})::int`
          : `(select max(v) from (${of.text}) as ${this.#name()}(v))`;
      }
      case 6:
        return type === 'int' ? `length(${alias}::text)` : `${alias}::text`;
      case 7:
        return type === 'int' ? `coalesce(${column}, 0)` : `lower(coalesce(${column}, '') || 'x')`;
      case 8:
        return type === 'int' ? `num_nulls(${column}, ${column})` : `to_jsonb(${alias})::text`;
      default:
        return column;
    }
  }
}
