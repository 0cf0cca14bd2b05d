import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, normalise } from './normalise.ts';

describe('the normalised text', () => {
  it.each([
    ["select * from t where a = 'hunter2' and b = 5", 'select * from t where a = ? and b = ?'],
    ['select 1 -- hunter2\n, /* hunter2 */ 2', 'select ? , ?'],
    ["alter role r password 'hunter2'", 'alter role r password ?'],
    ["copy t to '/hunter2' with (format csv)", 'copy t to ? with (format csv)'],
    ["prepare p as select 'hunter2'", 'prepare p as select ?'],
    ["create view v as select 'hunter2' as x", 'create view v as select ? as x'],
    ['do $x$ hunter2 $x$', 'do ?'],
    ["select E'hunter\\'2', U&'hunter2', x'aa', $$hunter2$$", 'select ?, ?, ?, ?'],
    ["select 'hunter2", 'select ?'],
    ['select /* hunter2', 'select ?'],
    ['select $1, "Name", a.b', 'select $1, "Name", a.b'],
    ['', ''],
  ])('of %j keeps no literal', (text, expected) => {
    expect(normalise(text)).toBe(expected);
  });

  it('never shows what stood in quotes', () => {
    const secret = 'sEcReT';
    const quoted = fc.constantFrom(
      `'${secret}'`,
      `E'${secret}'`,
      `$$${secret}$$`,
      `$a$${secret}$a$`,
      `/* ${secret} */`,
      `'a''${secret}'`,
    );
    const plain = fc.constantFrom('select', 'a', ',', '=', '(', ')', '"b"', '1', '--x\n', ' ');
    fc.assert(
      fc.property(fc.array(fc.oneof(quoted, plain)), (pieces) => {
        expect(normalise(pieces.join(' '))).not.toContain(secret);
        expect(canonical(pieces.join(' '))).not.toContain(secret);
      }),
    );
  });

  it('is cut when it is long', () => {
    expect(normalise(`select ${Array(10_000).fill('abc').join(', ')}`).length).toBeLessThan(8_300);
  });
});

describe('the canonical text', () => {
  it('is the same for texts that differ in literals, comments, spaces and case only', () => {
    expect(canonical("SELECT a FROM t WHERE b = 'x' -- c")).toBe(canonical('select  a\nfrom t where b = $$y$$;'));
  });

  it.each([
    ['select a from t', 'select b from t'],
    ['select "A" from t', 'select "a" from t'],
    ['select a.x from secret a, public b', 'select a.x from secret b, public a'],
    ['select a, b from t', 'select b, a from t'],
    ['select f(1)', 'select f(1, 2)'],
    ['select 1', 'select 1; select 1'],
  ])('tells %s from %s', (one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });
});
