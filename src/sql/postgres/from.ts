import { choose } from './calls.ts';
import { spend } from './effort.ts';
import { type Place, untagged, walk } from './expressions.ts';
import { figureName } from './figure-name.ts';
import { join } from './joins.ts';
import { unresolved } from './names.ts';
import { readQuery } from './query.ts';
import type { Relation } from './relation.ts';
import type { Item, Part } from './scope.ts';
import type { Site } from './sites.ts';
import { NOTHING, type Output, type Shape, type Sources, union } from './sources.ts';
import {
  bodyOf,
  flagAt,
  isTree,
  listAt,
  namesOf,
  nodeOf,
  type Tree,
  textAt,
  treeAt,
  unreadable,
  type Value,
} from './tree.ts';

/** Reads FROM into the scope, left to right, so that LATERAL sees what stands before it and nothing else does. */
export function readFrom(items: readonly Value[], place: Place): void {
  for (const item of items) place.scope.add(fromItem(item, place));
}

export function fromItem(value: Value | undefined, place: Place): Part {
  const { tag, body } = nodeOf(value);
  switch (tag) {
    case 'RangeVar':
      return named(body, place);
    case 'JoinExpr':
      return join(body, place);
    case 'RangeSubselect': {
      const scope = flagAt(body, 'lateral') ? place.scope : place.scope.only();
      return part(body, passedOn(readQuery(body['subquery'], { ledger: place.ledger, scope })));
    }
    case 'RangeFunction':
      return functions(body, place);
    case 'RangeTableFunc':
      return xmlTable(body, place);
    case 'JsonTable':
      return jsonTable(body, place);
    case 'RangeTableSample': {
      samplingMethod(namesOf(listAt(body, 'method')), place);
      walk([...listAt(body, 'args')], place);
      walk(body['repeatable'], place);
      const sampled = fromItem(body['relation'], place);
      for (const { site } of sampled.items) if (site) site.bound = true;
      return sampled;
    }
    default:
      throw unreadable(`FROM contains ${tag}`);
  }
}

/** A sampling method is a function; two come with the server. */
function samplingMethod(names: readonly string[], place: Place): void {
  if (/^(pg_catalog\.)?(system|bernoulli)$/.test(names.join('.'))) return;
  const choices = place.ledger.names.functions(names);
  if (choices.length === 0) throw unresolved('function', names.join('.'));
  choose(choices, [], place);
}

/** A WITH query, or a relation, which is thereby read. */
function named(range: Tree, place: Place): Part {
  const name = textAt(range, 'relname');
  const unqualified = textAt(range, 'schemaname') === '' && textAt(range, 'catalogname') === '';
  const query = unqualified ? place.scope.namedQuery(name) : undefined;
  if (query) return part(range, passedOn(query.shape()), { alias: name });
  const relation = place.ledger.names.relation(range);
  place.ledger.reads(relation);
  return relationPart(range, relation, place.ledger.sites.open(range, relation));
}

/** A relation under its alias. Reading it is not taken down here: it may be a target of writing. */
export function relationPart(range: Tree, relation: Relation, site?: Site): Part {
  const schema = relation.resource.path[2];
  const bare = treeAt(range, 'alias') === undefined;
  spend(1);
  const shape = relationShape(relation);
  if (site) spend(relation.columns.length);
  const placed = site ? { ...shape, outputs: shape.outputs.map((output) => ({ ...output, site })) } : shape;
  return part(range, placed, {
    alias: textAt(range, 'relname'),
    relation,
    ...(site ? { site } : {}),
    ...(bare && schema !== undefined ? { schema } : {}),
  });
}

const shapes = new WeakMap<Relation, Shape>();

function relationShape(relation: Relation): Shape {
  const known = shapes.get(relation);
  if (known) return known;
  const outputs = relation.columns.map((base) => ({
    name: base.name,
    sources: new Set([base]),
    base,
    origin: base,
    total: true,
  }));
  const shape = { outputs, open: undefined };
  shapes.set(relation, shape);
  return shape;
}

/** Puts an alias, with or without column names, on what a thing in FROM gives. */
function part(
  body: Tree,
  shape: Shape,
  own: { alias?: string; schema?: string; relation?: Relation; site?: Site } = {},
): Part {
  const alias = treeAt(body, 'alias');
  const item: Item = {
    ...renamed(shape, alias),
    alias: alias ? textAt(alias, 'aliasname') : (own.alias ?? ''),
    schema: own.schema,
    relation: own.relation,
    site: own.site,
  };
  return { items: [item], visible: item };
}

/** Column aliases rename from the left. */
export function renamed(shape: Shape, alias: Tree | undefined): Shape {
  const names = alias ? namesOf(listAt(alias, 'colnames')) : [];
  if (names.length === 0) return shape;
  spend(shape.outputs.length);
  const outputs = shape.outputs.map((output, index) => ({ ...output, name: names[index] ?? output.name }));
  // Where not all columns are known, the names beyond may still be theirs.
  const more = shape.open ? names.slice(outputs.length) : [];
  const extra = more.map((name): Output => ({ name, sources: shape.open ?? NOTHING }));
  return { outputs: [...outputs, ...extra], open: shape.open };
}

/** What leaves a query level is no longer a plain column. */
export function passedOn({ outputs, open }: Shape): Shape {
  spend(outputs.length);
  return {
    outputs: outputs.map(({ name, sources, origin, total = false }) => {
      return { name, sources, total, origin };
    }),
    open,
  };
}

/** Functions in FROM may return columns nobody named; they are computed from the arguments. */
function functions(body: Tree, place: Place): Part {
  const found: Sources[] = [];
  const outputs: Output[] = [];
  let alias = '';
  for (const value of listAt(body, 'functions')) {
    const [call, columns] = listAt(bodyOf(value, 'List') ?? {}, 'items');
    const sources = walk(call, place);
    found.push(sources);
    alias ||= figureName(call);
    const list = bodyOf(columns, 'List');
    outputs.push(...defined(list ? listAt(list, 'items') : [], sources));
  }
  const sources = union(...found);
  outputs.push(...defined(listAt(body, 'coldeflist'), sources));
  if (flagAt(body, 'ordinality')) outputs.push({ name: 'ordinality', sources: NOTHING });
  const named = outputs.length > (flagAt(body, 'ordinality') ? 1 : 0);
  // Aliases of columns count from the function's own, which come before ordinality.
  return part(body, named ? { outputs, open: sources } : { outputs: [], open: sources }, { alias });
}

function defined(columns: readonly Value[], sources: Sources): Output[] {
  return columns.flatMap((value) => {
    const column = bodyOf(value, 'ColumnDef');
    return column ? [{ name: textAt(column, 'colname'), sources }] : [];
  });
}

function xmlTable(body: Tree, place: Place): Part {
  const columns = listAt(body, 'columns').map((value) => bodyOf(value, 'RangeTableFuncCol') ?? {});
  const sources = union(
    walk(body['docexpr'], place),
    walk(body['rowexpr'], place),
    walk(listAt(body, 'namespaces'), place),
    ...columns.map((column) => union(walk(column['colexpr'], place), walk(column['coldefexpr'], place))),
  );
  const outputs = columns.map((column) => ({ name: textAt(column, 'colname'), sources }));
  return part(body, { outputs, open: undefined }, { alias: 'xmltable' });
}

function jsonTable(body: Tree, place: Place): Part {
  const sources = union(
    untagged('JsonValueExpr', body['context_item'], place),
    untagged('JsonTablePathSpec', body['pathspec'], place),
    walk(listAt(body, 'passing'), place),
    walk(listAt(body, 'columns'), place),
    untagged('JsonBehavior', body['on_error'], place),
  );
  const outputs = jsonColumns(listAt(body, 'columns')).map((name) => ({ name, sources }));
  return part(body, { outputs, open: undefined }, { alias: 'json_table' });
}

/** NESTED columns stand beside their parents. */
function jsonColumns(columns: readonly Value[]): string[] {
  return columns.flatMap((value) => {
    const column = bodyOf(value, 'JsonTableColumn');
    if (!column || !isTree(column)) throw unreadable('a JSON_TABLE column of unknown shape');
    const nested = listAt(column, 'columns');
    return nested.length > 0 ? jsonColumns(nested) : [textAt(column, 'name')];
  });
}
