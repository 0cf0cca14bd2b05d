import { Lexer, type Token } from './lexer.ts';

/** Longest text kept: what is for logs need not be long. */
const MOST = 8_192;

/**
 * The text with every literal replaced by `?` and every comment dropped, whatever the statement: passwords, paths of
 * COPY and bodies of functions are literals too. What never ends (an unterminated literal) is dropped with the rest.
 */
export function normalise(text: string): string {
  let all = '';
  let length = 0;
  let end = 0;
  const token = new Lexer(text);
  while (token.next()) {
    if (length > MOST) return `${all.trim().slice(0, MOST)} …`;
    const piece = pieceOf(text, token);
    const gap = token.start > end || token.kind === 'comment';
    if (gap && !all.endsWith(' ')) all += ' ';
    all += piece;
    length += piece.length + 1;
    end = token.end;
  }
  return all.trim();
}

/** One spelling for all texts that differ in literals, comments, spaces and the case of unquoted words: what a fingerprint digests. */
export function canonical(text: string): string {
  const pieces: string[] = [];
  const token = new Lexer(text);
  while (token.next()) {
    if (token.kind === 'comment') continue;
    const piece = pieceOf(text, token);
    pieces.push(token.kind === 'word' ? piece.toLowerCase() : piece);
  }
  while (pieces.at(-1) === ';') pieces.pop();
  return pieces.join(' ');
}

function pieceOf(text: string, { kind, start, end }: Token): string {
  switch (kind) {
    case 'string':
    case 'number':
    case 'broken':
      return '?';
    case 'comment':
      return '';
    default:
      return text.slice(start, end);
  }
}
