import { Lexer } from '../sql/postgres/lexer.ts';

/** Nearly every text is done with this look. */
const HINT = /slp_|password/i;
const PASS = /slp_([0-9A-Za-z]{22})_[0-9A-Za-z]{16,}/g;
/** In connection strings: `password=x`, `password = 'x y'`. */
const SETTING = /(password\s*=\s*)(?:''[^']*''|\\?'(?:[^'\\]|\\.|'')*\\?'|[^\s'&;]+)/gi;

/**
 * A statement as it may be kept: passwords it sets or logs in with, and passes somebody pasted into it, are taken out.
 * They are nobody's evidence, and whoever could read them later could use them.
 */
export function secretless(text: string): string {
  if (!HINT.test(text)) return text;
  let kept = '';
  let from = 0;
  let isPassword = false;
  const token = new Lexer(text);
  while (token.next()) {
    const { kind, start, end } = token;
    if (kind === 'comment') continue;
    if (kind === 'string' || kind === 'broken') {
      kept += text.slice(from, start) + (isPassword ? "'***'" : text.slice(start, end).replace(SETTING, '$1***'));
      from = end;
    }
    // PASSWORD 'x', and option lists: password 'x', "password" 'x', password = 'x'.
    if (kind === 'word' || kind === 'quoted') isPassword = /^"?password"?$/i.test(text.slice(start, end));
    else if (text.slice(start, end) !== '=') isPassword = false;
  }
  return (kept + text.slice(from)).replace(PASS, 'slp_$1_***');
}
