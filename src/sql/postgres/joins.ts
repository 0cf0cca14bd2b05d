import { walkCondition } from './conditions.ts';
import { spend } from './effort.ts';
import type { Place } from './expressions.ts';
import { fromItem, renamed } from './from.ts';
import { unresolved } from './names.ts';
import type { Item, Part } from './scope.ts';
import { named, type Output, type Shape, union, useWhole } from './sources.ts';
import { bodyOf, flagAt, listAt, namesOf, type Tree, textAt, treeAt, type Value } from './tree.ts';

/** A JOIN: what its sides give, with the columns of USING and NATURAL merged in front, where they also filter. */
export function join(body: Tree, place: Place): Part {
  const left = fromItem(body['larg'], place);
  const right = fromItem(body['rarg'], mayLookLeft(body['rarg']) ? { ...place, scope: place.scope.with(left) } : place);
  walkCondition(body['quals'], { ...place, scope: place.scope.only(left, right), use: 'filter' });

  const names = flagAt(body, 'isNatural') ? common(left.visible, right.visible) : namesOf(listAt(body, 'usingClause'));
  const merged = names.map((name): Output => {
    return { name, sources: union(side(left.visible, name).sources, side(right.visible, name).sources) };
  });
  for (const { sources } of merged) place.ledger.columns(sources, 'filter');
  if (flagAt(body, 'isNatural')) for (const { visible } of [left, right]) useWhole(visible.outputs);
  // NATURAL over columns that are not known may compare any of them.
  if (flagAt(body, 'isNatural')) {
    for (const shape of [left.visible, right.visible]) if (shape.open) place.ledger.columns(shape.open, 'filter');
  }

  const outputs = [...merged, ...rest(left.visible, names), ...rest(right.visible, names)];
  const open = left.visible.open || right.visible.open;
  const visible: Shape = { outputs, open: open && union(...[left, right].flatMap((part) => part.visible.open ?? [])) };
  const using = treeAt(body, 'join_using_alias');
  const extra = using ? [item(textAt(using, 'aliasname'), { outputs: merged, open: undefined })] : [];
  const alias = treeAt(body, 'alias');
  if (!alias) return { items: [...left.items, ...right.items, ...extra], visible };
  // Behind the join's own name the columns of its sides are passed on, all of them.
  useWhole(visible.outputs);
  const whole = item(textAt(alias, 'aliasname'), withoutSites(renamed(visible, alias)));
  return { items: [whole, ...extra], visible: whole };
}

/** Whether it can refer to what stands before it; a relation and a subquery without LATERAL cannot. */
function mayLookLeft(value: Value | undefined): boolean {
  const subselect = bodyOf(value, 'RangeSubselect');
  return subselect ? flagAt(subselect, 'lateral') : bodyOf(value, 'RangeVar') === undefined;
}

function item(alias: string, shape: Shape): Item {
  return { ...shape, alias, schema: undefined, relation: undefined };
}

function withoutSites(shape: Shape): Shape {
  spend(shape.outputs.length);
  return { ...shape, outputs: shape.outputs.map((output) => ({ ...output, site: undefined })) };
}

function common(left: Shape, right: Shape): string[] {
  const names = new Set(right.outputs.map((output) => output.name));
  return left.outputs.flatMap((output) => (names.has(output.name) ? [output.name] : []));
}

function side(shape: Shape, name: string): { readonly sources: Output['sources'] } {
  const [match, another] = named(shape.outputs, name);
  if (another || (!match && !shape.open)) throw unresolved('column', name);
  return match ?? { sources: shape.open ?? new Set() };
}

function rest({ outputs }: Shape, names: readonly string[]): readonly Output[] {
  spend(outputs.length);
  if (names.length === 0) return outputs;
  const merged = new Set(names);
  return outputs.filter((output) => !merged.has(output.name));
}
