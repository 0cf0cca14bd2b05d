import { Fault } from '../../core/fault.ts';

/** The parse tree as plain data. No type of the parser's package passes beyond parser.ts. */
export interface Tree {
  readonly [field: string]: Value | undefined;
}
export type Value = null | boolean | number | string | Tree | readonly Value[];

/** One parse node: `{ "SelectStmt": { … } }` taken apart. */
export interface Node {
  readonly tag: string;
  readonly body: Tree;
}

export function isTree(value: Value | undefined): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws Fault SQL_UNREADABLE for anything that is not exactly one tagged node. */
export function nodeOf(value: Value | undefined): Node {
  if (isTree(value)) {
    const [tag, another] = Object.keys(value);
    const body = tag === undefined || another !== undefined ? undefined : value[tag];
    if (tag !== undefined && isTree(body)) return { tag, body };
  }
  throw unreadable('a parse node of unknown shape');
}

/** The body, when the value is a node with this tag. */
export function bodyOf(value: Value | undefined, tag: string): Tree | undefined {
  if (!isTree(value)) return undefined;
  const body = value[tag];
  return isTree(body) ? body : undefined;
}

/** A field that the parser writes without a tag because its type is fixed. */
export function treeAt(body: Tree, field: string): Tree | undefined {
  const value = body[field];
  return isTree(value) ? value : undefined;
}

export function listAt(body: Tree, field: string): readonly Value[] {
  const value = body[field];
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw unreadable(`${field} is not a list`);
}

/** The string at a field, or the empty string: the parser leaves out what is empty. */
export function textAt(body: Tree, field: string): string {
  const value = body[field];
  return typeof value === 'string' ? value : '';
}

export function flagAt(body: Tree, field: string): boolean {
  return body[field] === true;
}

/** The text of a String node, or undefined for any other node. */
export function stringOf(value: Value | undefined): string | undefined {
  const body = bodyOf(value, 'String');
  return body && textAt(body, 'sval');
}

/** A list of String nodes, such as a qualified name. Throws when anything else is among them. */
export function namesOf(values: readonly Value[]): string[] {
  return values.map((value) => {
    const name = stringOf(value);
    if (name === undefined) throw unreadable('a name of unknown shape');
    return name;
  });
}

export function unreadable(what: string): Fault {
  return new Fault('SQL_UNREADABLE', `cannot read this statement: ${what}`);
}
