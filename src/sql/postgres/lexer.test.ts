import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { tokens } from './lexer.ts';
import { loadParser, scan } from './parser.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

beforeAll(loadParser);

/** Both cut into the same pieces: where strings, identifiers and comments begin and end is what matters. */
function ours(text: string): string[] {
  return [...tokens(text)].flatMap(({ kind, start, end }) =>
    kind === 'string' || kind === 'quoted' || kind === 'comment' ? [`${start}-${end}`] : [],
  );
}

function theirs(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const at = (byte: number): number => new TextDecoder().decode(bytes.subarray(0, byte)).length;
  return scan(text)
    .filter(({ start }) => /^(["'$]|[eEbBxX]'|[uU]&["']|--|\/\*)/.test(text.slice(at(start), at(start) + 3)))
    .filter(({ start, end, kind }) => kind !== 'PARAM' && text.slice(at(start), at(end)) !== '$')
    .map(({ start, end }) => `${at(start)}-${at(end)}`);
}

describe('the lexer', () => {
  it.each([
    ["select 'a''b', E'c\\'d', U&'\\0041', $$e'f$$, $x$ $$ $x$, b'01', x'ff', N'g'"],
    ['select "a""b", U&"\\0041" from "c"'],
    ["select 'a' -- 'b'\n 'c', 'd' 'e'"],
    ['select /* a /* b */ c */ 1 /* d */'],
    ["select 1-- '\n, 'x'"],
    ["select '\\', '--', \"--\""],
    ["select e'\\\\', 'x'"],
    ['select $1, $2::int, a$b, $$a$$'],
    ["select 'é', \"ü\", $ß$ 'x' $ß$"],
    ["select 'a'\n'b'"],
    ["select 'a' /* c */\n'b'"],
    ["select E'a'\n  '\\'b'"],
    ['select 1.5e10, .5, 1_000, 0xFF, 1..2'],
  ])('cuts as PostgreSQL does: %s', (text) => {
    expect(ours(text)).toEqual(theirs(text));
  });

  it('cuts whatever PostgreSQL can scan as it does', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '$$',
      '$a$',
      '--',
      '/*',
      '*/',
      '\n',
      ' ',
      '\\',
      'E',
      'e',
      'U&',
      'x',
      'b',
      '1',
      '$1',
      'é',
      ';',
      '::',
      'n',
    );
    let compared = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = `select ${pieces.join('')}`;
        let expected: string[];
        try {
          expected = theirs(text);
        } catch {
          return; // what does not scan does not parse
        }
        compared += 1;
        expect(ours(text)).toEqual(expected);
      }),
      { numRuns: 3_000 * EFFORT },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it('covers any text without gaps in what is not space, and ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        let end = 0;
        for (const token of tokens(text)) {
          expect(text.slice(end, token.start)).toMatch(/^[ \t\n\r\f\v]*$/);
          expect(token.end).toBeGreaterThan(token.start);
          end = token.end;
        }
        expect(text.slice(end)).toMatch(/^[ \t\n\r\f\v]*$/);
      }),
    );
  });
});
