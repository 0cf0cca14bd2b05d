import { spend } from './effort.ts';
import type { Names } from './names.ts';
import type { Scope } from './scope.ts';
import { named, type Sources } from './sources.ts';
import { bodyOf, flagAt, listAt, namesOf, nodeOf, type Tree, textAt, treeAt, type Value } from './tree.ts';

/**
 * Functions that give a value whatever text, number or date they are given, and none that depends on more than their
 * arguments. Whether they succeed tells nothing, so what they give can be covered as a whole.
 */
const TOTAL: ReadonlySet<string> = new Set(
  `lower upper initcap btrim ltrim rtrim reverse length char_length octet_length concat concat_ws left right
  replace translate md5 quote_literal quote_ident to_json to_jsonb row_to_json json_build_array
  jsonb_build_array json_build_object jsonb_build_object array_agg string_agg json_agg jsonb_agg count`.split(/\s+/),
);

/** Types whose values those functions, casts to text and || take as they come. pg_type.dat. */
const PLAIN: ReadonlySet<number> = new Set([
  16, 18, 19, 20, 21, 23, 25, 26, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950,
]);

const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar']);

/** Whether an expression is built of columns of plain types, constants and total functions alone. */
export function isTotal(value: Value | undefined, names: Names, scope: Scope): boolean {
  if (value === undefined || value === null) return true;
  const all = (values: readonly Value[]): boolean => values.every((each) => isTotal(each, names, scope));
  const { tag, body } = nodeOf(value);
  switch (tag) {
    case 'A_Const':
    case 'ParamRef':
      return true;
    case 'ColumnRef':
      return isPlain(body, scope);
    case 'CoalesceExpr':
      return all(listAt(body, 'args'));
    case 'TypeCast':
      return isText(treeAt(body, 'typeName')) && isTotal(body['arg'], names, scope);
    case 'A_Expr': {
      const joined = textAt(body, 'kind') === 'AEXPR_OP' && namesOf(listAt(body, 'name')).join('.') === '||';
      return joined && all([body['lexpr'] ?? null, body['rexpr'] ?? null]);
    }
    case 'FuncCall':
      return isTotalCall(body, names) && all(listAt(body, 'args'));
    default:
      return false;
  }
}

function isTotalCall(body: Tree, names: Names): boolean {
  const called = namesOf(listAt(body, 'funcname'));
  if (!TOTAL.has(called.at(-1) ?? '') || treeAt(body, 'over') || flagAt(body, 'func_variadic')) return false;
  const choices = names.functions(called);
  return choices.length > 0 && choices.every((choice) => choice.class === 'free');
}

function isPlain(reference: Tree, scope: Scope): boolean {
  const fields = listAt(reference, 'fields');
  if (bodyOf(fields.at(-1), 'A_Star')) return false;
  const parts = namesOf(fields);
  const name = parts.at(-1) ?? '';
  const item = parts.length === 1 ? undefined : scope.item(parts.at(-2) ?? '', parts.at(-3));
  const [found] = item ? named(item.outputs, name) : scope.named(name);
  const row = found || item ? undefined : scope.items.find(({ alias }) => alias === name);
  const outputs = row && !row.open ? row.outputs : [found];
  spend(outputs.length);
  return outputs.every((output) => output?.total === true && arePlain(output.sources));
}

function arePlain(columns: Sources): boolean {
  for (const { labels, type } of columns) if (labels.length > 0 && !PLAIN.has(type)) return false;
  return true;
}

function isText(type: Tree | undefined): boolean {
  if (!type || listAt(type, 'arrayBounds').length > 0) return false;
  const named = namesOf(listAt(type, 'names'));
  return TEXTS.has(named.at(-1) ?? '') && (named.length === 1 || named[0] === 'pg_catalog');
}
