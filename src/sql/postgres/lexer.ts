/**
 * PostgreSQL's lexical rules, with standard_conforming_strings on, for the two jobs that must not depend on the
 * parser: limits before it runs and texts without literals after it. It never decides what a statement does.
 */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

export type TokenKind =
  | 'word' // keyword or unquoted identifier
  | 'quoted' // "identifier", U&"identifier"
  | 'string' // every kind of string and bit string
  | 'number'
  | 'parameter' // $1
  | 'symbol' // one punctuation or operator character, `::` included as two
  | 'comment'
  | 'broken'; // unterminated: runs to the end

const SPACE = /[ \t\n\r\f\v]/;
const WORD_START = /[A-Za-z_\u0080-\uffff]/;
const WORD = /[A-Za-z_\u0080-\uffff0-9$]*/y;
const NUMBER =
  /(?:0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)/y;
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z_\u0080-\uffff0-9]*)?\$/y;
const PARAMETER = /\$[0-9]+/y;
/** Whitespace with a newline, then another quote: the string goes on (scan.l, quotecontinue). */
const CONTINUATION = /[ \t\f\v]*[\n\r][ \t\n\r\f\v]*'/y;

export function* tokens(text: string): Generator<Token> {
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (SPACE.test(char)) {
      at += 1;
      continue;
    }
    const token = tokenAt(text, at, char);
    yield token;
    at = token.end;
  }
}

function tokenAt(text: string, start: number, char: string): Token {
  const next = text.charAt(start + 1);
  if (char === '-' && next === '-') return { kind: 'comment', start, end: lineEnd(text, start) };
  if (char === '/' && next === '*') return comment(text, start);
  if (char === "'") return string(text, start, start, 'doubled');
  if (char === '"') return quoted(text, start, start);
  if (next === "'" && /[eE]/.test(char)) return string(text, start, start + 1, 'escaped');
  if (next === "'" && /[bBxX]/.test(char)) return string(text, start, start + 1, 'bare');
  if (/[uU]/.test(char) && next === '&') {
    if (text.charAt(start + 2) === "'") return string(text, start, start + 2, 'doubled');
    if (text.charAt(start + 2) === '"') return quoted(text, start, start + 2);
  }
  if (WORD_START.test(char)) return { kind: 'word', start, end: match(WORD, text, start) };
  if (char === '$') return dollar(text, start);
  if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(next))) {
    return { kind: 'number', start, end: Math.max(match(NUMBER, text, start), start + 1) };
  }
  return { kind: 'symbol', start, end: start + 1 };
}

function lineEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\n' || text[at] === '\r') return at;
  }
  return text.length;
}

/** Comments nest. */
function comment(text: string, start: number): Token {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const pair = text.slice(at, at + 2);
    if (pair === '/*') {
      depth += 1;
      at += 1;
    } else if (pair === '*/') {
      depth -= 1;
      at += 1;
      if (depth === 0) return { kind: 'comment', start, end: at + 1 };
    }
  }
  return { kind: 'broken', start, end: text.length };
}

/** How a quote stands in a string: twice, also behind a backslash, or not at all (bit strings). */
type Quoting = 'doubled' | 'escaped' | 'bare';

function string(text: string, start: number, quote: number, quoting: Quoting): Token {
  for (let at = quote + 1; at < text.length; at++) {
    const char = text[at];
    if (quoting === 'escaped' && char === '\\') {
      at += 1;
    } else if (char === "'") {
      if (quoting !== 'bare' && text[at + 1] === "'") {
        at += 1;
        continue;
      }
      const resumed = match(CONTINUATION, text, at + 1);
      if (resumed === at + 1) return { kind: 'string', start, end: at + 1 };
      at = resumed - 1;
    }
  }
  return { kind: 'broken', start, end: text.length };
}

function quoted(text: string, start: number, quote: number): Token {
  for (let at = quote + 1; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return { kind: 'quoted', start, end: at + 1 };
    at += 1;
  }
  return { kind: 'broken', start, end: text.length };
}

function dollar(text: string, start: number): Token {
  const parameter = match(PARAMETER, text, start);
  if (parameter > start) return { kind: 'parameter', start, end: parameter };
  const opened = match(DOLLAR_QUOTE, text, start);
  if (opened === start) return { kind: 'symbol', start, end: start + 1 };
  const tag = text.slice(start, opened);
  const closed = text.indexOf(tag, opened);
  return closed < 0 ? { kind: 'broken', start, end: text.length } : { kind: 'string', start, end: closed + tag.length };
}

/** Where the sticky pattern's match at `at` ends; `at` itself when it does not match. */
function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
