import { isTree, type Tree, type Value } from './tree.ts';

/** Bodies of all nodes with this tag, at any depth. The walk keeps its own stack. */
export function collect(value: Value | undefined, tag: string): Tree[] {
  const found: Tree[] = [];
  const left: (Value | undefined)[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (Array.isArray(next)) left.push(...next);
    else if (isTree(next)) {
      for (const [field, inner] of Object.entries(next)) {
        if (field === tag && isTree(inner)) found.push(inner);
        left.push(inner);
      }
    }
  }
  return found;
}
