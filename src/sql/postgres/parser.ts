import { loadModule, parseSync, SqlError, scanSync } from 'libpg-query';
import { Fault } from '../../core/fault.ts';
import { checkLimits } from './limits.ts';
import { isTree, listAt, type Tree, treeAt, unreadable } from './tree.ts';

/**
 * The one door to libpg-query, PostgreSQL's own parser (version 18) in wasm. An attacker can exhaust its stack, and an
 * instance that trapped is not to be trusted again: whoever calls `parse` must throw the whole process away on anything
 * but a Fault (data/reader does).
 */
export async function loadParser(): Promise<void> {
  await loadModule();
}

/** The statements of a text, each the body of a RawStmt. Throws Fault SQL_UNREADABLE or PROTOCOL_LIMIT. */
export function parse(text: string): Tree[] {
  checkLimits(text);
  if (/^[ \t\n\r\f\v]*$/.test(text)) return []; // the parser throws on these; the server calls them empty
  const tree: unknown = parseText(text);
  if (!isValue(tree)) throw unreadable('the parser gave no tree');
  return listAt(tree, 'stmts').map((raw) => {
    const statement = isTree(raw) ? treeAt(raw, 'stmt') : undefined;
    if (!statement) throw unreadable('a statement of unknown shape');
    return statement;
  });
}

function parseText(text: string): unknown {
  try {
    return parseSync(text);
  } catch (error) {
    // Only the parser's own verdict on the text is clean; a trap goes on as it is.
    if (error instanceof SqlError) throw new Fault('SQL_UNREADABLE', error.message, { cause: error });
    throw error;
  }
}

function isValue(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** PostgreSQL's own tokens, in UTF-8 byte offsets: the oracle of lexer.test.ts. */
export function scan(text: string): { readonly start: number; readonly end: number; readonly kind: string }[] {
  return scanSync(text).tokens.map(({ start, end, tokenName }) => ({ start, end, kind: tokenName }));
}
