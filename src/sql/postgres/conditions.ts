import type { Lookups } from '../../core/facts.ts';
import { isConstant } from './bounded.ts';
import { type Place, resolve, walk } from './expressions.ts';
import { bodyOf, listAt, namesOf, type Tree, textAt, treeAt, unreadable, type Value } from './tree.ts';

/**
 * WHERE, ON and their kin: whatever is under AND, OR and NOT. What compares a labelled column itself with constants, by
 * =, IN or IS NULL, tells no more about it than whether it is one of these, and is taken down as that; `lower` and
 * `upper` around both sides change nothing about it. Everything else is read like any expression that decides.
 */
export function walkCondition(value: Value | undefined, place: Place): void {
  if (value === undefined || value === null) return;
  const { ledger } = place;
  const combined = bodyOf(value, 'BoolExpr');
  if (combined) {
    ledger.depth += 1;
    if (ledger.depth > DEEPEST) throw unreadable('it nests too deep');
    for (const each of listAt(combined, 'args')) walkCondition(each, place);
    ledger.depth -= 1;
    return;
  }
  const tested = bodyOf(value, 'BooleanTest');
  if (tested) return walkCondition(tested['arg'], place);
  const pairs = rowComparison(value);
  if (pairs) {
    for (const pair of pairs) walkCondition(pair, place);
    return;
  }
  const match = comparison(value, place);
  const column = match && comparedColumn(match.column, place);
  if (!match || !column) {
    walk(value, place);
    return;
  }
  // Functions and types around them are taken down as ever, the column itself only here.
  walk(match.constants, place);
  walk(match.column, { ...place, use: 'carry' });
  const { reference, found } = column;
  ledger.matches(found, match.lookups);
  const { site } = resolve(reference, place);
  if (!site || !ledger.sites.filter(site, reference, found.attribute)) ledger.through(found);
}

const DEEPEST = 3_000;

/** `(a, b) = (1, 2)` compares each with its own. */
function rowComparison(value: Value): Value[] | undefined {
  const body = bodyOf(value, 'A_Expr');
  if (!body || textAt(body, 'kind') !== 'AEXPR_OP' || namesOf(listAt(body, 'name')).join('.') !== '=') return undefined;
  const [left, right] = [bodyOf(body['lexpr'], 'RowExpr'), bodyOf(body['rexpr'], 'RowExpr')];
  const [these, those] = [left ? listAt(left, 'args') : [], right ? listAt(right, 'args') : []];
  if (these.length === 0 || these.length !== those.length) return undefined;
  return these.map((lexpr, index) => ({ A_Expr: { ...body, lexpr, rexpr: those[index] ?? null } }));
}

interface Comparison {
  readonly column: Value;
  readonly constants: readonly Value[];
  readonly lookups: Lookups;
}

const NONE: Lookups = { constants: 0, arrays: [] };

function comparison(value: Value, place: Place): Comparison | undefined {
  const isSteady = (each: Value): boolean => steady(each, place);
  const test = bodyOf(value, 'NullTest');
  if (test) return { column: test['arg'] ?? null, constants: [], lookups: NONE };
  const body = bodyOf(value, 'A_Expr');
  if (!body) return undefined;
  const operator = namesOf(listAt(body, 'name'));
  const same = operator.length === 1 || operator[0] === 'pg_catalog';
  const { lexpr = null, rexpr = null } = body;
  const equal = operator.at(-1) === '=';
  if (!same || !(equal || operator.at(-1) === '<>')) return undefined;
  switch (textAt(body, 'kind')) {
    case 'AEXPR_OP':
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      if (isSteady(rexpr)) return { column: lexpr, constants: [rexpr], lookups: { constants: 1, arrays: [] } };
      return isSteady(lexpr) ? { column: rexpr, constants: [lexpr], lookups: { constants: 1, arrays: [] } } : undefined;
    case 'AEXPR_IN': {
      const list = bodyOf(rexpr, 'List');
      const constants = list ? listAt(list, 'items') : [];
      const steady = constants.length > 0 && constants.every(isSteady);
      return steady ? { column: lexpr, constants, lookups: { constants: constants.length, arrays: [] } } : undefined;
    }
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      const lookups = elements(rexpr);
      return lookups && { column: lexpr, constants: [rexpr], lookups };
    }
    default:
      return undefined;
  }
}

/**
 * How many values an array stands for: a text is counted by its commas, a parameter when it is known. Undefined for what
 * is not put together of these by ARRAY and ||.
 */
export function elements(value: Value): Lookups | undefined {
  const cast = bodyOf(value, 'TypeCast');
  if (cast) return elements(cast['arg'] ?? null);
  const parameter = bodyOf(value, 'ParamRef');
  if (parameter) {
    const { number } = parameter;
    return typeof number === 'number' ? { constants: 0, arrays: [number] } : undefined;
  }
  const array = bodyOf(value, 'A_ArrayExpr');
  if (array) return all(listAt(array, 'elements'));
  const joined = bodyOf(value, 'A_Expr');
  if (joined && isJoin(joined)) return all([joined['lexpr'] ?? null, joined['rexpr'] ?? null]);
  if (!isConstant(value)) return undefined;
  const constant = bodyOf(value, 'A_Const');
  const text = constant && treeAt(constant, 'sval');
  return { constants: text ? textAt(text, 'sval').split(',').length : 1, arrays: [] };
}

function all(values: readonly Value[]): Lookups | undefined {
  let constants = 0;
  const arrays: number[] = [];
  for (const value of values) {
    const more = elements(value);
    if (!more) return undefined;
    constants += more.constants;
    for (const each of more.arrays) arrays.push(each);
  }
  return { constants, arrays };
}

function isJoin(expression: Tree): boolean {
  return textAt(expression, 'kind') === 'AEXPR_OP' && namesOf(listAt(expression, 'name')).join('.') === '||';
}

const STEADY: ReadonlySet<string> = new Set(['lower', 'upper', 'btrim', 'ltrim', 'rtrim', 'concat', 'replace']);
const FOLDS: ReadonlySet<string> = new Set(['lower', 'upper']);

/** What `lower`, `upper` and casts to text are around. */
function bare(value: Value): Value {
  const cast = bodyOf(value, 'TypeCast');
  const type = cast && treeAt(cast, 'typeName');
  if (cast && type) {
    const name = namesOf(listAt(type, 'names')).at(-1) ?? '';
    const plain = name === 'text' || (name === 'varchar' && listAt(type, 'typmods').length === 0);
    return plain && listAt(type, 'arrayBounds').length === 0 ? bare(cast['arg'] ?? null) : value;
  }
  const folded = foldedBy(value);
  return folded === undefined ? value : bare(folded);
}

function foldedBy(value: Value): Value | undefined {
  const called = bodyOf(value, 'FuncCall');
  const names = called ? namesOf(listAt(called, 'funcname')) : [];
  const [argument, more] = called ? listAt(called, 'args') : [];
  if (!FOLDS.has(names.at(-1) ?? '') || (names.length > 1 && names[0] !== 'pg_catalog')) return undefined;
  return more === undefined ? argument : undefined;
}

/** Constants and parameters, and what the server's own functions put together of them alone: the same for every row. */
function steady(value: Value, place: Place): boolean {
  const cast = bodyOf(value, 'TypeCast');
  if (cast) return steady(cast['arg'] ?? null, place);
  const called = bodyOf(value, 'FuncCall');
  if (called) {
    const names = namesOf(listAt(called, 'funcname'));
    const plain = STEADY.has(names.at(-1) ?? '') && called['over'] === undefined && isOwn(names, place);
    return plain && listAt(called, 'args').every((each) => steady(each, place));
  }
  const joined = bodyOf(value, 'A_Expr');
  if (joined && isJoin(joined)) {
    return steady(joined['lexpr'] ?? null, place) && steady(joined['rexpr'] ?? null, place);
  }
  return isConstant(value);
}

/** Whether a function of this name can only be the server's own, harmless one. */
function isOwn(names: readonly string[], { ledger }: Place): boolean {
  const choices = ledger.names.functions(names);
  return choices.length > 0 && choices.every((choice) => choice.class === 'free');
}

/** The labelled column that is compared, through any number of levels that pass it on. */
function comparedColumn(value: Value, place: Place) {
  if (!folds(value, place)) return undefined;
  const reference: Tree | undefined = bodyOf(bare(value), 'ColumnRef');
  if (!reference || bodyOf(listAt(reference, 'fields').at(-1), 'A_Star')) return undefined;
  const { origin } = resolve(reference, place);
  return origin && origin.labels.length > 0 ? { reference, found: origin } : undefined;
}

/** Whether every call around the column is the server's own. */
function folds(value: Value, place: Place): boolean {
  const cast = bodyOf(value, 'TypeCast');
  if (cast) return folds(cast['arg'] ?? null, place);
  const folded = foldedBy(value);
  if (folded === undefined) return true;
  const names = namesOf(listAt(bodyOf(value, 'FuncCall') ?? {}, 'funcname'));
  return isOwn(names, place) && folds(folded, place);
}
