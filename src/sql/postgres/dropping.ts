import { bodyOf, listAt, namesOf, stringOf, type Tree, textAt } from './tree.ts';

const RELATIONS = /^OBJECT_(TABLE|VIEW|MATVIEW|SEQUENCE|FOREIGN_TABLE|INDEX)$/;

/** What DROP names, as ranges: relations by their names, anything else by the schema it is in. */
export function namesInDrop(body: Tree): Tree[] {
  const type = textAt(body, 'removeType');
  return listAt(body, 'objects').map((object) => {
    const list = bodyOf(object, 'List');
    const type_ = bodyOf(object, 'TypeName');
    const routine = bodyOf(object, 'ObjectWithArgs');
    const single = stringOf(object);
    const parts = list
      ? listAt(list, 'items').flatMap((item) => stringOf(item) ?? [])
      : type_
        ? namesOf(listAt(type_, 'names'))
        : routine
          ? namesOf(listAt(routine, 'objname'))
          : [single ?? ''];
    if (RELATIONS.test(type)) return range(parts);
    // A trigger, rule, policy or column is named after its table.
    if (/^OBJECT_(TRIGGER|RULE|POLICY|COLUMN|TABCONSTRAINT)$/.test(type)) return range(parts.slice(0, -1));
    if (type === 'OBJECT_SCHEMA') return { relname: '', schemaname: parts[0] ?? '' };
    return { relname: '', schemaname: parts.at(-2) ?? '' };
  });
}

function range(parts: readonly string[]): Tree {
  const [relname = '', schemaname = '', catalogname = ''] = [...parts].reverse();
  return { relname, schemaname, catalogname };
}
