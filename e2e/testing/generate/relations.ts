export type Type = 'int' | 'text' | 'date' | 'numeric' | 'bool' | 'jsonb' | 'texts';

export interface Field {
  readonly name: string;
  readonly type: Type;
  /** Computed from a labelled column: deciding about rows by it is refused, so it is done seldom. */
  readonly covered: boolean;
}

/** What a FROM item is known by, and what it has. */
export interface Source {
  readonly alias: string;
  readonly fields: readonly Field[];
  /** Has a column `id` without equals. */
  readonly keyed: boolean;
  /** A table, with system columns. */
  readonly table?: boolean;
}

const TYPES: Readonly<Record<string, Type>> = { i: 'int', t: 'text', d: 'date', n: 'numeric', j: 'jsonb', a: 'texts' };

/** `name:type`, with a star where it is covered. */
function fields(text: string): Field[] {
  return text.split(' ').map((one) => {
    const [name = '', type = ''] = one.split(':');
    return { name, type: TYPES[type.charAt(0)] ?? 'text', covered: type.endsWith('*') };
  });
}

const CUSTOMER =
  'id:i name:t region:t note:t email:t* ssn:t* phone:t* born:d* salary:n* token:t* handle:t* profile:j* tags:a* line:t* email_key:t*';

export interface Relation {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly keyed: boolean;
  readonly table: boolean;
  /** `id` is its primary key. */
  readonly primary: boolean;
}

const PRIMARY = /^(only |public\.)?customers$|^(orders|logins|notes|people_only)$/;

function relation(name: string, columns: string): Relation {
  const view = /^(people|loud|eldest|open_orders|kept)$/.test(name);
  return { name, fields: fields(columns), keyed: name !== 'eldest', table: !view, primary: PRIMARY.test(name) };
}

/** Relations of `fixtures/bypass/twins/schema.sql`, those most worth looking at named more than once. */
export const RELATIONS: readonly Relation[] = [
  relation('customers', CUSTOMER),
  relation('orders', 'id:i customer_id:i status:t total:n note:t'),
  relation('customers', CUSTOMER),
  relation('public.customers', CUSTOMER),
  relation('only customers', CUSTOMER),
  relation('vip', `${CUSTOMER} perk:t`),
  relation('logins', 'id:i email:t* place:t'),
  relation('notes', 'id:i body:t priority:i'),
  relation('people_only', 'id:i email:t*'),
  relation('events', 'id:i day:d who:t* kind:t'),
  relation('events_old', 'id:i day:d who:t* kind:t'),
  relation('people', 'id:i name:t email:t*'),
  relation('loud', 'id:i shout:t* size:i*'),
  relation('eldest', 'region:t born:d* people:i'),
  relation('open_orders', 'id:i total:n name:t contact:t*'),
  relation('kept', 'id:i email:t* twice:n*'),
];
