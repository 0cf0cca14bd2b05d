import { Fault } from '../../core/fault.ts';
import { Lexer } from './lexer.ts';

/** What may reach the parser. Its wasm stack gives out at about 4,800 nested calls or 8,000 chained operators. */
export const LIMITS: Readonly<Record<'bytes' | 'tokens' | 'nesting' | 'chain', number>> = {
  /** UTF-8 bytes. */
  bytes: 1 << 20,
  tokens: 200_000,
  /** Brackets and CASE … END inside each other. */
  nesting: 256,
  /** Tokens that can hang on one another: since the last comma, semicolon, AND or OR, counted through brackets. */
  chain: 4_000,
};

/** Throws Fault PROTOCOL_LIMIT or SQL_UNREADABLE before the parser sees what could exhaust it. */
export function checkLimits(text: string): void {
  if (text.length > LIMITS.bytes || utf8Length(text) > LIMITS.bytes) {
    throw new Fault('PROTOCOL_LIMIT', `a statement may have ${LIMITS.bytes} bytes`);
  }
  if (text.includes('\0')) throw new Fault('SQL_UNREADABLE', 'a statement may not contain NUL');

  let count = 0;
  const open: Level[] = [];
  let level: Level = { run: 0, most: 0 };
  const token = new Lexer(text);
  while (token.next()) {
    if (token.kind === 'comment') continue;
    count += 1;
    if (count > LIMITS.tokens) throw new Fault('PROTOCOL_LIMIT', `a statement may have ${LIMITS.tokens} tokens`);
    const word = token.end - token.start <= 4 ? text.slice(token.start, token.end).toLowerCase() : '';
    if (token.kind === 'symbol' || token.kind === 'word') {
      if (OPENING.has(word)) {
        open.push(level);
        level = { run: 0, most: 0 };
        if (open.length > LIMITS.nesting) {
          throw new Fault('PROTOCOL_LIMIT', `brackets may nest ${LIMITS.nesting} deep`);
        }
        continue;
      }
      if (CLOSING.has(word)) {
        const inner = level.most;
        level = open.pop() ?? { run: 0, most: 0 };
        level.run += inner;
      } else if (SEPARATING.has(word)) {
        level.run = 0;
      }
    }
    level.run += 1;
    level.most = Math.max(level.most, level.run);
    if (level.run > LIMITS.chain) throw new Fault('PROTOCOL_LIMIT', `an expression may chain ${LIMITS.chain} tokens`);
  }
}

interface Level {
  run: number;
  most: number;
}

const OPENING: ReadonlySet<string> = new Set(['(', '[', 'case']);
const CLOSING: ReadonlySet<string> = new Set([')', ']', 'end']);
const SEPARATING: ReadonlySet<string> = new Set([',', ';', 'and', 'or']);

/** Lone surrogates count as the replacement character they would be sent as. */
function utf8Length(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else if (code >= 0xd800 && code < 0xdc00 && isLow(text.charCodeAt(at + 1))) {
      length += 4;
      at += 1;
    } else length += 3;
  }
  return length;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
