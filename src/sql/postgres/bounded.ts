import { bodyOf, listAt, namesOf, stringOf, type Tree, textAt, type Value } from './tree.ts';
import type { Target } from './writing.ts';

/**
 * Whether a WHERE picks rows: one of its ANDed parts compares a column of the target with a constant or parameter, by
 * =, IN or a range with two sides (policy.md §3). `true`, `1=1`, `id = id`, `id IS NOT NULL` do not count.
 */
export function isBounded(where: Value | undefined, target: Target): boolean {
  const parts = conjuncts(where);
  return parts.some((part) => picks(part, target)) || hasRange(parts, target);
}

function conjuncts(value: Value | undefined): Value[] {
  if (value === undefined || value === null) return [];
  const both = bodyOf(value, 'BoolExpr');
  return both && textAt(both, 'boolop') === 'AND_EXPR' ? listAt(both, 'args').flatMap(conjuncts) : [value];
}

function picks(part: Value, target: Target): boolean {
  if (bodyOf(part, 'CurrentOfExpr')) return true;
  const compared = bodyOf(part, 'A_Expr');
  if (!compared) return false;
  const { lexpr, rexpr } = compared;
  switch (textAt(compared, 'kind')) {
    case 'AEXPR_OP':
      return operatorOf(compared) === '=' && eitherWay(lexpr, rexpr, target);
    case 'AEXPR_OP_ANY':
      return operatorOf(compared) === '=' && isColumn(lexpr, target) && isConstant(rexpr);
    case 'AEXPR_IN': {
      const list = bodyOf(rexpr, 'List');
      const values = list ? listAt(list, 'items') : [];
      return operatorOf(compared) === '=' && isColumn(lexpr, target) && values.length > 0 && values.every(isConstant);
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM': {
      const list = bodyOf(rexpr, 'List');
      return isColumn(lexpr, target) && (list ? listAt(list, 'items') : []).every(isConstant);
    }
    default:
      return false;
  }
}

function eitherWay(left: Value | undefined, right: Value | undefined, target: Target): boolean {
  return (isColumn(left, target) && isConstant(right)) || (isColumn(right, target) && isConstant(left));
}

/** `id >= 1 AND id < 10`: one column with a limit on each side. */
function hasRange(parts: readonly Value[], target: Target): boolean {
  const sides = new Map<string, Set<string>>();
  for (const part of parts) {
    const compared = bodyOf(part, 'A_Expr');
    if (!compared || textAt(compared, 'kind') !== 'AEXPR_OP') continue;
    const side = operatorOf(compared)[0] ?? '';
    if (!/^[<>]=?$/.test(operatorOf(compared))) continue;
    const { lexpr, rexpr } = compared;
    const left = columnName(lexpr, target);
    const right = columnName(rexpr, target);
    if (left !== undefined && isConstant(rexpr)) add(left, side);
    else if (right !== undefined && isConstant(lexpr)) add(right, side === '<' ? '>' : '<');
  }
  return [...sides.values()].some((found) => found.size === 2);

  function add(column: string, side: string): void {
    sides.set(column, (sides.get(column) ?? new Set()).add(side));
  }
}

function operatorOf(compared: Tree): string {
  const names = namesOf(listAt(compared, 'name'));
  return names.length === 1 || names[0] === 'pg_catalog' ? (names.at(-1) ?? '') : '';
}

/** A column of the target, or a row of such. */
function isColumn(value: Value | undefined, target: Target): boolean {
  const row = bodyOf(value, 'RowExpr');
  if (row) return listAt(row, 'args').length > 0 && listAt(row, 'args').every((each) => isColumn(each, target));
  return columnName(value, target) !== undefined;
}

function columnName(value: Value | undefined, { relation, place, alias }: Target): string | undefined {
  const reference = bodyOf(value, 'ColumnRef');
  const names = reference ? listAt(reference, 'fields').map(stringOf) : [];
  const name = names.at(-1);
  if (name === undefined || names.includes(undefined)) return undefined;
  const column = relation.byName.get(name);
  // Of the system columns only ctid tells rows apart.
  if (!column || (column.attribute < 0 && name !== 'ctid')) return undefined;
  if (names.length === 1) return place.scope.name(name).base === column ? name : undefined;
  const qualifier = names.at(-2);
  return qualifier === alias && place.scope.item(qualifier)?.relation === relation ? name : undefined;
}

/** Literals and parameters, casts and signs around them; NULL is none. */
export function isConstant(value: Value | undefined): boolean {
  const cast = bodyOf(value, 'TypeCast');
  if (cast) return isConstant(cast['arg']);
  const row = bodyOf(value, 'RowExpr');
  if (row) return listAt(row, 'args').every(isConstant);
  const array = bodyOf(value, 'A_ArrayExpr');
  if (array) return listAt(array, 'elements').every(isConstant);
  const signed = bodyOf(value, 'A_Expr');
  if (signed) return signed['lexpr'] === undefined && operatorOf(signed) === '-' && isConstant(signed['rexpr']);
  const constant = bodyOf(value, 'A_Const');
  return bodyOf(value, 'ParamRef') !== undefined || (constant !== undefined && constant['isnull'] !== true);
}
