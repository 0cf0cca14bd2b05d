import { settingClass } from './data/settings.ts';
import { TYPE_NAMES } from './data/type-names.ts';
import { isWholeRow, type Place, untagged, walk } from './expressions.ts';
import type { Ledger } from './ledger.ts';
import { type FunctionChoice, splitName, unresolved } from './names.ts';
import type { Relation } from './relation.ts';
import type { Scope } from './scope.ts';
import { ONCE_FUNCTIONS } from './shapes.ts';
import { named, type Sources, union } from './sources.ts';
import { bodyOf, flagAt, listAt, namesOf, stringOf, type Tree, textAt, treeAt, type Value } from './tree.ts';

/** A function call: its arguments, and what policy must be asked about each function the name may reach. */
export function call(body: Tree, place: Place): Sources {
  const names = namesOf(listAt(body, 'funcname'));
  const args = listAt(body, 'args');
  const deciding: Place = { ...place, use: 'filter' };
  const sources = union(
    walk(args, place),
    walk(listAt(body, 'agg_order'), flagAt(body, 'agg_within_group') ? place : deciding),
    walk(body['agg_filter'], deciding),
    untagged('WindowDef', body['over'], place),
  );
  const choices = place.ledger.names.functions(names);
  if (choices.length > 0) choose(choices, args, place);
  else if (!fieldOrCast(names, args, place)) throw unresolved('function', names.join('.'));
  return sources;
}

/** Functional notation: `email(c)` is `(c).email`, and `uuid('…')` is a cast. */
function fieldOrCast(names: readonly string[], args: readonly Value[], place: Place): boolean {
  const [name = ''] = names;
  if (args.length !== 1) return false;
  if (TYPE_NAMES.has(names.at(-1) ?? '') && (names.length === 1 || name === 'pg_catalog')) return true;
  const row = isWholeRow(args[0], place);
  return names.length === 1 && row !== undefined && named(row.outputs, name).length > 0;
}

/** `c.name` where `name` is no column of c calls a function by that name. False when there is none either. */
export function attribute(name: string, place: Place): boolean {
  const choices = place.ledger.names.functions([name]);
  choose(choices, [], place);
  return choices.length > 0;
}

/** A qualified operator outside pg_catalog runs a function of whoever made it. */
export function operator(name: readonly Value[], { ledger }: Place): void {
  const names = namesOf(name);
  const schema = names.at(-2);
  if (schema !== undefined && schema !== 'pg_catalog') {
    ledger.use('execute', ledger.names.function(schema, names.at(-1) ?? ''));
  }
}

/** On an older server this syntax is a plain call, which a function of the database could answer. */
export function onceFunction(tag: string, place: Place): void {
  const name = ONCE_FUNCTIONS[tag];
  if (name !== undefined && Object.hasOwn(ONCE_FUNCTIONS, tag)) {
    const choices = place.ledger.names.functions([name]);
    choose(
      choices.filter((choice) => choice.class === 'unvetted'),
      [],
      place,
    );
  }
}

/** Functions of a preamble would not wait or make rows. */
const SLOW = /^(pg_sleep.*|generate_series|repeat|lpad|rpad)$/;

/** Where a call stands; DDL has no scope. */
interface Standing {
  readonly ledger: Ledger;
  readonly scope?: Scope;
}

export function choose(choices: readonly FunctionChoice[], args: readonly Value[], { ledger, scope }: Standing): void {
  for (const { class: kind, resource } of choices) {
    switch (kind) {
      case 'free':
        if (SLOW.test(resource.path.at(-1) ?? '')) ledger.idle = false;
        break;
      case 'catalog':
        ledger.use('introspect', resource);
        break;
      case 'lock':
      case 'opaque':
      case 'admin':
        ledger.use(kind, resource);
        break;
      case 'unvetted':
        ledger.use('execute', resource);
        break;
      case 'sequence-next':
      case 'sequence-set': {
        const sequence = namedSequence(args[0], ledger);
        // Drawing a number is what inserting a row does; moving the sequence elsewhere is more.
        if (sequence) ledger.on(kind === 'sequence-next' ? 'insert' : 'update', sequence);
        else ledger.use('execute', resource);
        break;
      }
      case 'setting': {
        const name = settingName(args[0], scope);
        const value = constantText(args[1]);
        if (name === undefined || value === undefined || args.length !== 3) ledger.use('admin', resource);
        else ledger.setting({ name, value, class: settingClass(name, value) });
      }
    }
  }
}

function namedSequence(value: Value | undefined, ledger: Ledger): Relation | undefined {
  const names = splitName(constantText(value) ?? '');
  if (!names || names.length > 2) return undefined;
  const [relname = '', schemaname = ''] = [...names].reverse();
  return ledger.names.findRelation({ relname, schemaname });
}

/** The name given to set_config, lower-cased as the server compares it. */
function settingName(value: Value | undefined, scope: Scope | undefined): string | undefined {
  const name = constantText(value) ?? (columnName(value) === 'name' ? scope?.settingName : undefined);
  return name?.toLowerCase();
}

function columnName(value: Value | undefined): string | undefined {
  const reference = bodyOf(value, 'ColumnRef');
  const fields = reference ? listAt(reference, 'fields') : [];
  return fields.length === 1 ? stringOf(fields[0]) : undefined;
}

/** Casts to these leave a string constant as it stands (a length could cut it). */
const HARMLESS: ReadonlySet<string> = new Set(['text', 'varchar', 'regclass']);

/** The text of a string constant, harmless casts around it aside. */
export function constantText(value: Value | undefined): string | undefined {
  const cast = bodyOf(value, 'TypeCast');
  const type = cast && treeAt(cast, 'typeName');
  if (cast && type) {
    const name = stringOf(listAt(type, 'names').at(-1)) ?? '';
    const bare = HARMLESS.has(name) && listAt(type, 'typmods').length === 0 && listAt(type, 'arrayBounds').length === 0;
    return bare ? constantText(cast['arg']) : undefined;
  }
  const constant = bodyOf(value, 'A_Const');
  const string = constant && treeAt(constant, 'sval');
  return string && textAt(string, 'sval');
}
