import type { Span } from '../../core/facts.ts';
import { type Token, tokens } from './lexer.ts';

/**
 * Finds what the parser speaks of in the text. The parser counts UTF-8 bytes; spans count tokens, comments apart, so
 * that they hold for every text with the same template.
 */
export class Positions {
  readonly #text: string;
  #tokens: readonly Token[] | undefined;
  /** Bytes at which the tokens start. */
  #starts: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** A name with the qualifiers before it. Undefined where it cannot be cut out safely: spelled with UESCAPE, for one. */
  name(byte: number): Span | undefined {
    const from = this.#at(byte);
    if (from === undefined || !this.#isName(from)) return undefined;
    let to = from + 1;
    while (this.is(to, '.') && this.#isName(to + 1)) to += 2;
    return this.is(to, 'uescape') ? undefined : { from, to };
  }

  /** Whether the token there is this word or sign, in any case. */
  is(index: number, word: string): boolean {
    const token = this.#all[index];
    return token !== undefined && this.#text.slice(token.start, token.end).toLowerCase() === word;
  }

  /** The bracket that closes the one at this token. */
  closing(index: number): number | undefined {
    let depth = 0;
    for (let at = index; at < this.#all.length; at++) {
      if (this.is(at, '(')) depth += 1;
      else if (this.is(at, ')')) depth -= 1;
      if (depth === 0) return at;
    }
    return undefined;
  }

  #isName(index: number): boolean {
    const token = this.#all[index];
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'quoted')) return false;
    return !/^u&/i.test(this.#text.slice(token.start, token.start + 2));
  }

  get #all(): readonly Token[] {
    this.#tokens ??= significant(this.#text);
    return this.#tokens;
  }

  #at(byte: number): number | undefined {
    this.#starts ??= byteStarts(this.#text, this.#all);
    let [from, to] = [0, this.#starts.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#starts[middle] ?? 0) < byte) from = middle + 1;
      else to = middle;
    }
    return this.#starts[from] === byte ? from : undefined;
  }
}

/** The tokens that spans count. */
export function significant(text: string): Token[] {
  const all: Token[] = [];
  for (const token of tokens(text)) if (token.kind !== 'comment') all.push(token);
  return all;
}

function byteStarts(text: string, all: readonly Token[]): number[] {
  let byte = 0;
  let at = 0;
  return all.map(({ start }) => {
    for (; at < start; at++) byte += bytesOf(text.charCodeAt(at));
    return byte;
  });
}

/** UTF-8 bytes of one UTF-16 unit; of a surrogate pair, two for each half. */
function bytesOf(unit: number): number {
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3;
}
