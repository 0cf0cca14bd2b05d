import { type JsonObject, list, object, text, texts } from './json.ts';
import { clean, relative, style } from './output.ts';

/** Grants as the API lists them, drawn as the trees they form. One whose parent is not in the list starts a tree. */
export function grantTree(grants: readonly JsonObject[], now: number = Date.now()): string[] {
  const ids = new Set(grants.map((grant) => text(grant['id'])));
  const children = new Map<string, JsonObject[]>();
  for (const grant of grants.toReversed()) {
    if (text(grant['id']) === '') continue;
    const parent = text(grant['parent']);
    const under = ids.has(parent) ? parent : '';
    children.set(under, [...(children.get(under) ?? []), grant]);
  }
  const draw = (under: string, indent: string): string[] => {
    const below = children.get(under) ?? [];
    return below.flatMap((grant, index) => {
      const id = text(grant['id']);
      const last = index === below.length - 1;
      const root = under === '';
      const branch = root ? '' : last ? '└─ ' : '├─ ';
      const inner = `${indent}${root ? '' : last ? '   ' : '│  '}`;
      const trunk = children.has(id) ? '│  ' : '   ';
      return [
        `${style.dim(`${indent}${branch}`)}${name(grant)}`,
        ...about(grant, now).map((line) => `${style.dim(`${inner}${trunk}`)}${line}`),
        ...draw(id, inner),
      ];
    });
  };
  return draw('', '');
}

function name(grant: JsonObject): string {
  const agent = object(grant['agent']);
  const principal = object(grant['principal']);
  const plain =
    text(agent['name']) === '' ? text(principal['name']) : `${text(agent['name'])} (${text(agent['assurance'])})`;
  return style.bold(clean(plain));
}

/** A line of what it is, and one for each thing it may. */
function about(grant: JsonObject, now: number): string[] {
  const parts = [
    style.dim(text(grant['id'])),
    grant['revoked'] ? style.red('revoked') : expiry(text(grant['expires']), now),
    ...(text(grant['uses_left']) === '' ? [] : [`${text(grant['uses_left'])} uses left`]),
    ...(text(grant['purpose']) === '' ? [] : [`“${clean(text(grant['purpose']))}”`]),
  ];
  return [parts.join('  '), ...scope(object(grant['caveats']))];
}

function expiry(expires: string, now: number): string {
  return Date.parse(expires) > now ? `ends ${relative(expires, now)}` : style.dim('expired');
}

function scope(caveats: JsonObject): string[] {
  if (caveats['scopes'] === undefined) return [];
  const scopes = list(caveats['scopes']).map(object);
  return scopes.map((each) => {
    const actions = each['actions'] === undefined ? '' : ` ${texts(each['actions']).join('+')}`;
    const tables = Object.entries(object(each['tables'])).map(([table, columns]) =>
      columns === '*' ? table : `${table} (${texts(columns).join(', ')})`,
    );
    return clean(`${text(each['target'])}${actions}${tables.length > 0 ? ` on ${tables.join(', ')}` : ''}`);
  });
}
