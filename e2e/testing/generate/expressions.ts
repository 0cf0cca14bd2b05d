import type { Choices } from './choices.ts';
import type { Source, Type } from './relations.ts';

export interface Expression {
  readonly text: string;
  readonly covered: boolean;
}

/** What expressions may hold besides columns: queries made elsewhere. */
export interface Nesting {
  /** One row, one column: NULL where there is none. */
  scalar(scope: readonly Source[], type: Type, depth: number): Expression;
  /** A condition that holds a query. */
  exists(scope: readonly Source[], depth: number): Expression;
}

interface Place {
  readonly scope: readonly Source[];
  readonly depth: number;
  /** Nothing covered. */
  readonly open: boolean;
}

const LITERALS: Readonly<Record<Type, readonly string[]>> = {
  int: ['1', '3', '7', '0', '-2', 'null::int'],
  text: [
    "'north'",
    "'open'",
    "'b***@mail.test'",
    "'handle3'",
    "'b1'",
    "''",
    "'@'",
    "'****'",
    'null::text',
    "'[redacted]'",
  ],
  date: ["date '1965-06-01'", "date '2026-01-01'", "date '1970-01-01'", 'null::date'],
  numeric: ['10', '2500.5', '0.0', 'null::numeric'],
  bool: ['true', 'false', 'null::bool'],
  jsonb: [`'{"plan": "p1"}'::jsonb`, "'[]'::jsonb", 'null::jsonb'],
  texts: ["array['a', null]", "'{}'::text[]"],
};

/** Makes expressions of a type over what is in scope. */
export class Expressions {
  readonly #choices: Choices;
  readonly #nesting: Nesting;

  constructor(choices: Choices, nesting: Nesting) {
    this.#choices = choices;
    this.#nesting = nesting;
  }

  make(type: Type, place: Place): Expression {
    const { depth } = place;
    if (depth <= 0 || !this.#choices.once(2)) return this.#leaf(type, place);
    if (this.#choices.once(9) && !place.open) return this.#nesting.scalar(place.scope, type, depth - 1);
    const inner = { ...place, depth: depth - 1 };
    return this.#fill(this.#choices.of(FORMS[type]), inner);
  }

  /** Decides about rows: of covered columns, mostly none or one that may be compared with constants. */
  condition(scope: readonly Source[], depth: number): Expression {
    const open = !this.#choices.once(10);
    if (depth > 0 && this.#choices.once(6)) return this.#nesting.exists(scope, depth - 1);
    const handle = scope.find(({ fields }) => fields.some(({ name }) => name === 'handle'));
    if (handle !== undefined && this.#choices.once(4)) {
      const column = `${handle.alias}.handle`;
      const texts = [
        `${column} = 'handle2'`,
        `lower(${column}) = 'handle3'`,
        `${column} in ('handle1', 'handle4', 'x')`,
        `${column} is not null`,
        `not (${column} = 'handle5')`,
        `${column} = any ('{handle1,handle6}')`,
      ];
      return { text: this.#choices.of(texts), covered: true };
    }
    return this.#fill(this.#choices.of(FORMS.bool), { scope, depth, open });
  }

  /** `{int}` in a form becomes an expression of that type; `{row}` an alias of a table. */
  #fill(form: string, place: Place): Expression {
    let covered = false;
    const text = form.replaceAll(/\{(int|text|date|numeric|bool|jsonb|texts|row)\}/g, (_, what: string) => {
      const part = what === 'row' ? this.#row(place) : this.make(what as Type, place);
      covered ||= part.covered;
      return part.text;
    });
    return { text: `(${text})`, covered };
  }

  #row({ scope, open }: Place): Expression {
    const rows = scope.filter(({ fields }) => !open || fields.every((field) => !field.covered));
    if (rows.length === 0) return { text: "'x'::text", covered: false };
    const { alias, fields } = this.#choices.of(rows);
    return { text: alias, covered: fields.some((field) => field.covered) };
  }

  #leaf(type: Type, { scope, open }: Place): Expression {
    const columns = scope.flatMap(({ alias, fields }) =>
      fields
        .filter((field) => field.type === type && !(open && field.covered))
        .map((field) => ({ text: `${alias}.${field.name}`, covered: field.covered })),
    );
    const tables = scope.filter(({ table }) => table === true);
    if (type === 'text' && tables.length > 0 && this.#choices.once(15)) {
      return {
        text: `${this.#choices.of(tables).alias}.${this.#choices.of(['tableoid::regclass', 'ctid'])}::text`,
        covered: false,
      };
    }
    const covered = columns.filter((column) => column.covered);
    if (covered.length > 0 && this.#choices.once(2)) return this.#choices.of(covered);
    if (columns.length === 0 || this.#choices.once(9))
      return { text: this.#choices.of(LITERALS[type]), covered: false };
    return this.#choices.of(columns);
  }
}

// Nothing here depends on the order of rows or on when it is run. What can fail is here on purpose.
const FORMS: Readonly<Record<Type, readonly string[]>> = {
  int: [
    'length({text})',
    '{int} + {int}',
    '{int} % 5',
    'position({text} in {text})',
    'extract(doy from {date})::int',
    'ascii({text})',
    'cardinality({texts})',
    'case when {bool} then {int} else {int} end',
    'coalesce({int}, {int})',
    '10 / {int}',
    '{text}::int',
    'num_nulls({text}, {date})',
    'hashtext({text})',
    'pg_column_size({text})',
    'octet_length({row}::text)',
    '({date} - {date})',
    'sign({numeric})::int',
  ],
  text: [
    'lower({text})',
    '{text} || {text}',
    'left({text}, {int})',
    'substr({text}, 2, 3)',
    'reverse({text})',
    'md5({text})',
    'replace({text}, {text}, {text})',
    "split_part({text}, '@', 1)",
    'coalesce({text}, {text})',
    'nullif({text}, {text})',
    '{int}::text',
    '{date}::text',
    '{numeric}::text',
    "{jsonb}->>'plan'",
    "{jsonb}->>'ssn'",
    "to_char({date}, 'DD.MM.')",
    "format('%s/%s', {text}, {int})",
    'case when {bool} then {text} end',
    '{row}::text',
    'to_jsonb({row})::text',
    "array_to_string({texts}, ',', '-')",
    '({texts})[1]',
    "concat_ws('-', {text}, {int}, {date})",
    "regexp_replace({text}, '[0-9]+', 'n')",
    'greatest({text}, {text})',
    "rpad({text}, 5, '.')",
    "translate({text}, '@*', 'ab')",
    "encode(convert_to({text}, 'UTF8'), 'hex')",
    '{text}::varchar(3)',
    'quote_nullable({text})',
    "(xpath('/a/text()', xmlelement(name a, {text})))[1]::text",
    'jsonb_path_query_first(to_jsonb({text}), \'$ ? (@ like_regex "1")\')::text',
  ],
  date: [
    '{date} + {int}',
    'coalesce({date}, {date})',
    'least({date}, {date})',
    'case when {bool} then {date} end',
    "date_trunc('month', {date})::date",
    '{text}::date',
  ],
  numeric: [
    '{numeric} * {numeric}',
    'round({numeric}, -2)',
    'coalesce({numeric}, {numeric})',
    '{int}::numeric',
    'sqrt({numeric})',
    '{numeric} / {numeric}',
    'extract(epoch from {date})::numeric',
    '{text}::numeric',
  ],
  bool: [
    '{int} > -1',
    '{text} is not null',
    '{int} < 9',
    'length({text}) > 3',
    '{date} is not null or {bool}',
    'not {text} is null',
    '{int} > {int}',
    '{text} = {text}',
    "{text} like '%a%'",
    '{text} < {text}',
    '{date} >= {date}',
    '{numeric} between {numeric} and {numeric}',
    '{bool} or {bool}',
    '{bool} and {bool}',
    'not {bool}',
    '{text} is null',
    '{text} is distinct from {text}',
    "{text} ~ '[1-4]'",
    '{text} = any ({texts})',
    "{jsonb} ? 'plan'",
    '{jsonb} @> {jsonb}',
    '{row} is not null',
    'starts_with({text}, {text})',
    '{int} in ({int}, 2, 5)',
  ],
  jsonb: [
    'to_jsonb({text})',
    'to_jsonb({row})',
    "jsonb_build_object('k', {text}, 'n', {int})",
    "{jsonb} - 'ssn'",
    "{jsonb} #- '{ssn}'",
    '{jsonb} || {jsonb}',
    "jsonb_set({jsonb}, '{plan}', to_jsonb({text}))",
    'jsonb_strip_nulls({jsonb})',
    "{jsonb}->'plan'",
    "({jsonb})['ssn']",
    '{text}::jsonb',
  ],
  texts: [
    'array[{text}, {text}]',
    '{texts} || {text}',
    "string_to_array({text}, '1')",
    'array_remove({texts}, {text})',
    '({texts})[2:3]',
  ],
};
