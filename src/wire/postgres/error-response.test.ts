import { describe, expect, it } from 'vitest';
import { withoutDetails, withoutValues } from './error-response.ts';

const report = (code: string, more: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> =>
  new Map(Object.entries({ S: 'ERROR', V: 'ERROR', C: code, M: 'says', D: 'detail', H: 'hint', ...more }));

describe('an error that may quote values', () => {
  it.each<[string, string, Readonly<Record<string, string>>, string | undefined]>([
    ['an unknown column', '42703', {}, 'says'],
    ['a unique index', '23505', { n: 'customers_email_key' }, 'says'],
    ['a lock that was not to be had', '55P03', {}, 'says'],
    ['a value of another type', '22P02', {}, undefined],
    ['what an author raised', 'P0001', { W: 'PL/pgSQL function f() line 1 at RAISE' }, undefined],
    ['what an author raised under a harmless code', '42501', { W: 'PL/pgSQL function f() line 1 at RAISE' }, undefined],
    ['what another language raised', '23505', { W: 'PL/Python function "f"' }, undefined],
    ['a notice', '00000', {}, undefined],
    ['no code at all', '', {}, undefined],
  ])('keeps its code and loses its details: %s', (_name, code, more, message) => {
    const told = withoutValues(report(code, more));
    expect([told.get('C'), told.get('D'), told.get('H'), told.get('W')]).toEqual([
      code,
      undefined,
      undefined,
      undefined,
    ]);
    expect(told.get('M')).toBe(message ?? `the message is withheld: it could quote a labelled column (${code})`);
    expect(told.get('n')).toBe(more['n']);
  });

  it('keeps its message where only rows may be quoted', () => {
    expect([...withoutDetails(report('22P02')).keys()]).toEqual(['S', 'V', 'C', 'M']);
  });
});
