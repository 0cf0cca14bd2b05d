import type { Choices } from './choices.ts';
import type { Expressions } from './expressions.ts';
import type { Query } from './queries.ts';
import { type Field, RELATIONS, type Relation, type Source, type Type } from './relations.ts';

export interface From {
  readonly text: string;
  readonly sources: readonly Source[];
  /** Where there is one relation and nothing else. */
  readonly relation: Relation | undefined;
}

/** What a FROM needs from where it stands. */
export interface Surroundings {
  readonly outer: readonly Source[];
  readonly ctes: readonly Source[];
  readonly depth: number;
  readonly query: (outer: readonly Source[], depth: number) => Query;
}

/** Makes FROM clauses. */
export class Froms {
  readonly #choices: Choices;
  readonly #expressions: Expressions;

  constructor(choices: Choices, expressions: Expressions) {
    this.#choices = choices;
    this.#expressions = expressions;
  }

  from(around: Surroundings): From {
    const sources: Source[] = [];
    const first = this.item(sources, around);
    let text = first.text;
    for (let more = this.#choices.pick(4); more > 2; more--) {
      const kind = this.#choices.of(['cross', 'left', 'full', 'inner', 'inner']);
      const right = this.item(sources, { ...around, depth: around.depth - 1 });
      const small = first.relation !== undefined && right.relation !== undefined;
      text +=
        kind === 'cross' && small
          ? ` cross join ${right.text}`
          : ` ${kind === 'cross' ? 'inner' : kind} join ${right.text} ${this.#on(sources)}`;
    }
    return { text, sources, relation: sources.length === 1 ? first.relation : undefined };
  }

  item(sources: Source[], around: Surroundings): { text: string; relation?: Relation } {
    const { ctes, depth } = around;
    if (ctes.length > 0 && this.#choices.once(2)) {
      const cte = this.#choices.of(ctes);
      const alias = this.#choices.name();
      sources.push({ ...cte, alias });
      return { text: `${cte.alias} as ${alias}` };
    }
    if (depth > 0 && this.#choices.once(5)) return { text: this.#subquery(sources, around) };
    if (depth > 0 && this.#choices.once(8)) return { text: this.#called(sources, around) };
    const relation = this.#choices.of(RELATIONS.filter(({ name }) => !ctes.some(({ alias }) => alias === name)));
    return this.#relation(sources, relation);
  }

  #relation(sources: Source[], relation: Relation): { text: string; relation?: Relation } {
    const { name, fields, keyed, table } = relation;
    const alias = this.#choices.alias();
    if (this.#choices.once(8)) {
      const renamed = fields.map((field) => ({ ...field, name: this.#choices.name() }));
      sources.push({ alias, fields: renamed, keyed: false, table });
      return { text: `${name} as ${alias}(${renamed.map((field) => field.name).join(', ')})` };
    }
    sources.push({ alias, fields, keyed, table });
    const sampled = table && this.#choices.once(14) ? ' tablesample bernoulli (100)' : '';
    return { text: `${name} as ${alias}${sampled}`, relation };
  }

  #subquery(sources: Source[], { outer, depth, query }: Surroundings): string {
    const lateral = sources.length > 0 && this.#choices.once(2);
    const { text, fields } = query(lateral ? [...outer, ...sources] : [], depth - 1);
    const alias = this.#choices.alias();
    sources.push({ alias, fields, keyed: false });
    return `${lateral ? 'lateral ' : ''}(${text}) as ${alias}`;
  }

  /** A function, VALUES, or a join with a name of its own. */
  #called(sources: Source[], { outer, depth }: Surroundings): string {
    const alias = this.#choices.name();
    const scope = [...outer, ...sources];
    const some = (type: Type) => this.#expressions.make(type, { scope, depth: Math.min(depth, 1), open: false });
    const source = (covered: boolean, ...columns: (readonly [string, Type])[]) => {
      const fields = columns.map(([name, type]): Field => ({ name, type, covered }));
      sources.push({ alias, fields, keyed: false });
    };
    const [text, other, number] = [some('text'), some('text'), some('int')];
    const covered = text.covered || other.covered || number.covered;
    switch (this.#choices.pick(6)) {
      case 0:
        source(covered, ['v', 'text']);
        return `unnest(array[${text.text}, ${other.text}]) as ${alias}(v)`;
      case 1:
        source(covered, ['v', 'text']);
        return `regexp_split_to_table(${text.text}, '@') as ${alias}(v)`;
      case 2:
        source(covered, ['v', 'int']);
        return `generate_series(1, abs(${number.text}) % 4) as ${alias}(v)`;
      case 3:
        source(covered, ['a', 'text'], ['b', 'int']);
        return `rows from (unnest(array[${text.text}, 'x']), generate_series(1, abs(${number.text}) % 3)) as ${alias}(a, b)`;
      case 4:
        source(covered, ['a', 'text'], ['b', 'int']);
        return `lateral (values (${text.text}, ${number.text}), ('x', 1)) as ${alias}(a, b)`;
      default:
        source(true, ['a', 'int'], ['b', 'text'], ['c', 'int'], ['d', 'text']);
        return `((select id, email from customers) x join (select id, note from orders) y on x.id = y.id) as ${alias}(a, b, c, d)`;
    }
  }

  /** Equality, which a full join needs. */
  #on(sources: readonly Source[]): string {
    const [left, right] = [sources[0], sources.at(-1)];
    const keys = [left, right].filter((source) => source?.fields.some(({ name }) => name === 'id'));
    if (keys.length === 2 && sources.length === 2 && this.#choices.once(3)) return 'using (id)';
    const side = (source: Source | undefined) =>
      this.#expressions.make('int', { scope: source === undefined ? [] : [source], depth: 0, open: true }).text;
    return `on ${side(left)} = ${side(right)}`;
  }
}
