import type { Token } from './lexer.ts';

/** A replacement of the tokens [from, to). */
export interface OptionEdit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const WORDS: ReadonlySet<string> = new Set(['analyze', 'analyse', 'verbose']);
const QUERIES: ReadonlySet<string> = new Set(['select', 'with', 'table', 'values', '(']);

/**
 * Turns costs off in the EXPLAIN that is the statement at this position: with them a plan tells how wide the values of
 * columns are. Undefined where no EXPLAIN is there.
 */
export function withoutCosts(text: string, all: readonly Token[], position: number): OptionEdit | undefined {
  const word = (index: number): string => {
    const token = all[index];
    return token ? text.slice(token.start, token.end).toLowerCase() : '';
  };
  let start = 0;
  for (let passed = -1; start < all.length; start++) {
    const begins = word(start) !== ';' && (start === 0 || word(start - 1) === ';');
    if (begins) passed += 1;
    if (passed === position) break;
  }
  if (word(start) !== 'explain') return undefined;
  if (word(start + 1) === '(' && !QUERIES.has(word(start + 2))) {
    let end = start + 2;
    for (let depth = 1; depth > 0 && end < all.length; end++) {
      if (word(end) === '(') depth += 1;
      else if (word(end) === ')') depth -= 1;
    }
    return { from: end - 1, to: end, text: ', COSTS false)' }; // the last of several counts
  }
  let end = start + 1;
  while (WORDS.has(word(end))) end += 1;
  const words = Array.from({ length: end - start - 1 }, (_, index) => word(start + 1 + index).toUpperCase());
  return { from: start, to: end, text: `EXPLAIN (${[...words, 'COSTS false'].join(', ')})` };
}
