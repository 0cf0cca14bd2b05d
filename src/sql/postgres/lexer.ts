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

const NUMBER =
  /(?:0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)/y;
/** A letter may be the base of the digits behind it, or an exponent. */
const MAY_GO_ON: ReadonlySet<number> = new Set(Array.from('xXoObBeE_.', (char) => char.charCodeAt(0)));
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z_\u0080-\uffff0-9]*)?\$/y;
const PARAMETER = /\$[0-9]+/y;
/** Whitespace with a newline, then another quote: the string goes on (scan.l, quotecontinue). */
const CONTINUATION = /[ \t\f\v]*[\n\r][ \t\n\r\f\v]*'/y;

/** What one character of ASCII can be; every other begins and continues words. */
const [SPACE, LETTER, DIGIT, DOLLAR] = [1, 2, 3, 4];
const CLASSES: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[ \t\n\r\f\v]/.test(char)) return SPACE;
  if (/[A-Za-z_]/.test(char)) return LETTER;
  if (/[0-9]/.test(char)) return DIGIT;
  return char === '$' ? DOLLAR : 0;
});

function continuesWord(code: number): boolean {
  return code >= 128 || (CLASSES[code] as number) > SPACE;
}

/**
 * Goes over the tokens of a text without making anything of them: every statement is gone over several times. What it
 * says holds until the next step.
 */
export class Lexer implements Token {
  readonly #text: string;
  kind: TokenKind = 'symbol';
  start = 0;
  end = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** False at the end of the text. */
  next(): boolean {
    const text = this.#text;
    const { length } = text;
    let at = this.end;
    while (at < length && CLASSES[text.charCodeAt(at)] === SPACE) at += 1;
    if (at >= length) return false;
    this.start = at;
    const code = text.charCodeAt(at);
    const kind = code < 128 ? CLASSES[code] : LETTER;
    if (kind === LETTER) this.#word(text, at);
    else if (kind === DIGIT) this.#number(text, at);
    else this.#other(text, at);
    return true;
  }

  #word(text: string, start: number): void {
    const second = text.charCodeAt(start + 1);
    // Prefixes of strings and identifiers: E'…', B'…', X'…', U&'…', U&"…".
    if ((second === 0x27 || second === 0x26) && this.#prefixed(text, start)) return;
    const { length } = text;
    let at = start + 1;
    while (at < length && continuesWord(text.charCodeAt(at))) at += 1;
    this.#is('word', at);
  }

  #prefixed(text: string, start: number): boolean {
    const prefix = text.charAt(start).toLowerCase();
    if (text.charAt(start + 1) === "'") {
      if (prefix === 'e') this.#string(text, start + 1, 'escaped');
      else if (prefix === 'b' || prefix === 'x') this.#string(text, start + 1, 'bare');
      else return false;
      return true;
    }
    const third = text.charAt(start + 2);
    if (prefix !== 'u' || (third !== "'" && third !== '"')) return false;
    if (third === "'") this.#string(text, start + 2, 'doubled');
    else this.#quoted(text, start + 2);
    return true;
  }

  #number(text: string, start: number): void {
    const { length } = text;
    let end = start;
    while (end < length && CLASSES[text.charCodeAt(end)] === DIGIT) end += 1;
    // What only digits are, and nothing that a number may go on with stands behind, needs no expression to measure it.
    if (end > start && (end === length || !MAY_GO_ON.has(text.charCodeAt(end)))) return this.#is('number', end);
    this.#is('number', Math.max(match(NUMBER, text, start), start + 1));
  }

  #other(text: string, start: number): void {
    const next = text.charAt(start + 1);
    switch (text.charAt(start)) {
      case "'":
        return this.#string(text, start, 'doubled');
      case '"':
        return this.#quoted(text, start);
      case '$':
        return this.#dollar(text, start);
      case '-':
        return next === '-' ? this.#is('comment', lineEnd(text, start)) : this.#is('symbol', start + 1);
      case '/':
        return next === '*' ? this.#comment(text, start) : this.#is('symbol', start + 1);
      case '.':
        return CLASSES[next.charCodeAt(0)] === DIGIT ? this.#number(text, start) : this.#is('symbol', start + 1);
      default:
        return this.#is('symbol', start + 1);
    }
  }

  /** Comments nest. */
  #comment(text: string, start: number): void {
    let depth = 0;
    for (let at = start; at < text.length; at++) {
      const pair = text.slice(at, at + 2);
      if (pair === '/*') {
        depth += 1;
        at += 1;
      } else if (pair === '*/') {
        depth -= 1;
        at += 1;
        if (depth === 0) return this.#is('comment', at + 1);
      }
    }
    this.#is('broken', text.length);
  }

  #string(text: string, quote: number, quoting: Quoting): void {
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
        if (resumed === at + 1) return this.#is('string', at + 1);
        at = resumed - 1;
      }
    }
    this.#is('broken', text.length);
  }

  #quoted(text: string, quote: number): void {
    for (let at = quote + 1; at < text.length; at++) {
      if (text[at] !== '"') continue;
      if (text[at + 1] !== '"') return this.#is('quoted', at + 1);
      at += 1;
    }
    this.#is('broken', text.length);
  }

  #dollar(text: string, start: number): void {
    const parameter = match(PARAMETER, text, start);
    if (parameter > start) return this.#is('parameter', parameter);
    const opened = match(DOLLAR_QUOTE, text, start);
    if (opened === start) return this.#is('symbol', start + 1);
    const tag = text.slice(start, opened);
    const closed = text.indexOf(tag, opened);
    if (closed < 0) this.#is('broken', text.length);
    else this.#is('string', closed + tag.length);
  }

  #is(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.end = end;
  }
}

/** The same, to keep. */
export function* tokens(text: string): Generator<Token> {
  const lexer = new Lexer(text);
  while (lexer.next()) yield { kind: lexer.kind, start: lexer.start, end: lexer.end };
}

/** How a quote stands in a string: twice, also behind a backslash, or not at all (bit strings). */
type Quoting = 'doubled' | 'escaped' | 'bare';

function lineEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\n' || text[at] === '\r') return at;
  }
  return text.length;
}

/** Where the sticky pattern's match at `at` ends; `at` itself when it does not match. */
function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
