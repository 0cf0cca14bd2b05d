import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from './duration.ts';
import { clean, cleanLines, plainTable, relative, span } from './output.ts';
import { scramLogin } from './token.ts';
import { grantTree } from './tree.ts';

describe('what is shown', () => {
  it('never holds anything that steers a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(clean(text)).not.toMatch(
          /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/,
        );
        expect(cleanLines(text).replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
    );
  });

  it('is otherwise what it was', () => {
    expect(clean('Zürich 東京 🦀 {"a": "b"}')).toBe('Zürich 東京 🦀 {"a": "b"}');
    expect(cleanLines('a\r\nb\tc')).toBe('a\nb    c');
  });

  it('lines up in columns', () => {
    const [head, first, second] = plainTable(
      ['A', 'LONG NAME'],
      [
        ['x', '1'],
        ['longer', '2'],
      ],
    ).split('\n');
    expect(head?.indexOf('LONG')).toBe(first?.indexOf('1'));
    expect(first?.indexOf('1')).toBe(second?.indexOf('2'));
  });

  it.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [3_600_000, '1 h'],
    [3_660_000, '1 h 1 min'],
    [90_061_000, '1 d 1 h'],
  ])('says %i ms as %s', (milliseconds, text) => {
    expect(span(milliseconds)).toBe(text);
  });

  it('says times from now', () => {
    expect(relative('2026-10-01T12:01:00Z', Date.parse('2026-10-01T12:00:00Z'))).toBe('in 1 min');
    expect(relative('2026-10-01T11:59:00Z', Date.parse('2026-10-01T12:00:00Z'))).toBe('1 min ago');
  });
});

describe('a time', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['15m', 900],
    ['15min', 900],
    ['1h', 3600],
    ['2d', 172_800],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });
  it.each(['', '0', '-1', '1.5h', '1w', 'soon', '1h30m'])('is not %j', (text) => {
    expect(() => parseDuration(text)).toThrow();
  });
});

describe('a pass', () => {
  it('logs in with its second part, and its grant as the user', () => {
    const pass = `slp_${'g'.repeat(22)}_${'s'.repeat(38)}`;
    expect(scramLogin(pass)).toEqual({ user: `g.${'g'.repeat(22)}`, password: 's'.repeat(38) });
    expect(() => scramLogin(`${pass}x`)).toThrow('not a pass');
  });
});

describe('the tree of grants', () => {
  const plain = (lines: string[]): string[] => lines.map((line) => line.replace(/\u001b\[\d+m/g, ''));
  const now = Date.parse('2026-10-01T12:00:00Z');
  const grant = (id: string, parent: string | null, agent: object | null, more: object = {}) => ({
    id,
    parent,
    principal: { name: 'alice' },
    agent,
    caveats: {},
    expires: '2026-10-01T13:00:00Z',
    ...more,
  });

  it('shows who handed on to whom, newest last, orphans at the root', () => {
    const listed = [
      grant('D', 'gone', { name: 'lost', assurance: 'asserted' }),
      grant(
        'C',
        'B',
        { name: 'helper', assurance: 'asserted' },
        {
          caveats: { scopes: [{ target: 'shop', actions: ['select'], tables: { 'public.orders': ['id'] } }] },
          purpose: 'x',
        },
      ),
      grant('B', 'A', { name: 'deploy', assurance: 'attested' }, { revoked: { by: 'x' } }),
      grant('A', null, null),
    ];
    expect(plain(grantTree(listed, now))).toEqual([
      'alice',
      '│  A  ends in 1 h',
      '└─ deploy (attested)',
      '   │  B  revoked',
      '   └─ helper (asserted)',
      '         C  ends in 1 h  “x”',
      '         shop select on public.orders (id)',
      'lost (asserted)',
      '   D  ends in 1 h',
    ]);
  });

  it('ends whatever it is given', () => {
    const ids = fc.constantFrom('', 'A', 'B', 'C');
    fc.assert(
      fc.property(fc.array(fc.tuple(ids, ids)), (pairs) => {
        const unique = new Map(pairs.map(([id, parent]) => [id, grant(id, parent, null)]));
        expect(Array.isArray(grantTree([...unique.values()], now))).toBe(true);
      }),
    );
  });
});
