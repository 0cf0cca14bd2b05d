import type { Place } from './expressions.ts';
import type { Column } from './relation.ts';
import { bodyOf, listAt, namesOf, type Tree, textAt, treeAt, type Value } from './tree.ts';

/** `column -> 'a' ->> 'b'` and `column #> '{a,b}'`: which keys it goes by, from the column on. */
export interface JsonAccess {
  readonly reference: Tree;
  readonly keys: readonly string[];
}

const BY_KEY: ReadonlySet<string> = new Set(['->', '->>']);
const BY_PATH: ReadonlySet<string> = new Set(['#>', '#>>']);

/** Undefined for anything but constant keys on a column. */
export function jsonAccess(value: Value | undefined): JsonAccess | undefined {
  const reference = bodyOf(value, 'ColumnRef');
  if (reference) return { reference, keys: [] };
  const body = bodyOf(value, 'A_Expr');
  if (!body || textAt(body, 'kind') !== 'AEXPR_OP') return undefined;
  const [operator, more] = namesOf(listAt(body, 'name'));
  if (operator === undefined || more !== undefined) return undefined;
  const keys = BY_KEY.has(operator) ? key(body['rexpr']) : BY_PATH.has(operator) ? path(body['rexpr']) : undefined;
  const base = keys && jsonAccess(body['lexpr']);
  return base && { reference: base.reference, keys: [...base.keys, ...keys] };
}

/**
 * Whether what lies there is apart from everything the column's labels are on. Positions in arrays do not count: a path
 * stands for every element on its way (masking/json-paths.ts).
 */
export function isApart({ labels }: Column, keys: readonly string[]): boolean {
  const names = keys.filter((each) => !isPosition(each));
  return labels.every(({ path: labelled }) => {
    const other = labelled?.filter((each) => !isPosition(each)) ?? [];
    return other.some((each, index) => index < names.length && names[index] !== each);
  });
}

/** The labelled column of an access that is apart from its labels. */
export function apart(
  value: Value,
  resolve: (reference: Tree, place: Place) => { readonly origin?: Column | undefined },
  place: Place,
): Column | undefined {
  const access = jsonAccess(value);
  if (!access || access.keys.length === 0) return undefined;
  const { origin } = resolve(access.reference, place);
  return origin && origin.labels.length > 0 && isApart(origin, access.keys) ? origin : undefined;
}

function isPosition(text: string): boolean {
  return /^-?\d+$/.test(text);
}

function key(value: Value | undefined): string[] | undefined {
  const constant = bodyOf(value, 'A_Const');
  const string = constant && treeAt(constant, 'sval');
  if (string) return [textAt(string, 'sval')];
  const integer = constant && treeAt(constant, 'ival');
  return integer ? ['0'] : undefined;
}

/** A text array of plain words; others are not worth reading. */
function path(value: Value | undefined): string[] | undefined {
  const constant = bodyOf(value, 'A_Const');
  const string = constant && treeAt(constant, 'sval');
  const text = string && textAt(string, 'sval');
  const inner = text === undefined ? undefined : /^\{([\w]+(?:,[\w]+)*)\}$/.exec(text)?.[1];
  return inner?.split(',');
}
