import { Lexer } from './lexer.ts';

/** Longer texts are rarely written again with other numbers. */
const MOST = 2_048;

const VERBS: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete']);
/** Behind these a bare number may be the position of an output column. */
const POSITIONAL: ReadonlySet<string> = new Set(['by', 'distinct']);
const POSITIONAL_LENGTHS: ReadonlySet<number> = new Set([...POSITIONAL].map((word) => word.length));
const PLAIN_NUMBER = /^[0-9]{1,15}(?:\.[0-9]{1,15})?$/;
/** What stands for a number. No text has it: NUL is refused before anything is read. */
const HOLE = '\0';

/**
 * The text with its plain numbers taken out: texts with the same template have the same facts. Reading looks at the
 * value of a number in two places only, positions in ORDER BY, GROUP BY and DISTINCT ON (ordering.ts) and SET
 * (session.ts); texts that may have either, or several statements, get no template. Strings stay: reading looks into those of regclass,
 * set_config and others. template.test.ts holds this against all statements the room knows.
 */
export function templateOf(text: string): string | undefined {
  if (text.length > MOST) return undefined;
  let template = '';
  let from = 0;
  let isFirst = true;
  let isOver = false;
  const token = new Lexer(text);
  while (token.next()) {
    const { kind, start, end } = token;
    if (kind === 'broken' || (isOver && kind !== 'comment')) return undefined;
    isOver = isOver || text[start] === ';';
    if (kind === 'word') {
      if (!isFirst && !POSITIONAL_LENGTHS.has(end - start)) continue;
      const word = text.slice(start, end).toLowerCase();
      if (isFirst ? !VERBS.has(word) : POSITIONAL.has(word)) return undefined;
    } else if (isFirst && kind !== 'comment') {
      return undefined;
    }
    if (kind !== 'comment') isFirst = false;
    if (kind !== 'number' || !PLAIN_NUMBER.test(text.slice(start, end))) continue;
    template += text.slice(from, start) + HOLE;
    from = end;
  }
  return from === 0 ? undefined : template + text.slice(from);
}
