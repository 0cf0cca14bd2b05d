import fc from 'fast-check';
import { expect, it } from 'vitest';
import { covered } from '../testing/covered.ts';
import { BEFORE_MARK, BEHIND_MARK, marksFor } from './marks.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

function text(pieces: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.array(fc.oneof(...pieces), { maxLength: 9 }).map((parts) => parts.join(''));
}

const letters = (characters: string, constraints: fc.StringConstraints = {}): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(characters)), ...constraints });

const stars = (hit: string): string => '*'.repeat(hit.length);

it('tokens are found where their prefixes begin words', () => {
  const prefixes =
    'slp_:40 ghp_:30 github_pat_:30 dop_v1_:30 sk_live_:16 rk_test_:16 glpat-:16 xoxb-:16 xapp-:16 sk-:20 NRAK-:20';
  const rules = prefixes.split(' ').map((rule) => {
    const [prefix = '', fewest = ''] = rule.split(':');
    return `(?<=(?<!\\w)${prefix})${prefix.endsWith('-') ? '[\\w-]' : '\\w'}{${fewest},}`;
  });
  const rule = new RegExp(rules.join('|'), 'g');
  const names = prefixes.split(' ').map((one) => one.replace(/:.*/, ''));
  fc.assert(
    fc.property(
      text([
        fc.constantFrom(...names),
        fc.constantFrom('B', '_', '-', '1', 'v1_', ' ', 'é', 'k', 'sk', 'xp'),
        letters('aB1_', { minLength: 14, maxLength: 42 }),
      ]),
      (before) => {
        expect(covered('secret', before)).toBe(before.replace(rule, stars));
      },
    ),
    { numRuns: 5000 * EFFORT },
  );
});

it('random keys are found where every run is measured whole', () => {
  const slowly = (run: string): string => {
    const count = (some: RegExp): number => run.match(some)?.length ?? 0;
    if (run.length < 32 || run.length > 200) return run;
    if (count(/[A-Z]/g) < 4 || count(/[a-z]/g) < 4 || count(/\d/g) < 3) return run;
    if (count(/[/_-]/g) > Math.max(2, run.length / 12)) return run;
    const shares = [...new Set(run)].map((char) => run.split(char).length - 1).map((times) => times / run.length);
    return shares.reduce((bits, share) => bits - share * Math.log2(share), 0) < 4.2 ? run : stars(run);
  };
  const all = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  fc.assert(
    fc.property(
      text([
        letters(all, { minLength: 28, maxLength: 36 }),
        letters('ABCDEFGHIabcdefghi12345', { maxLength: 210 }),
        letters(`${all}+/-_`, { maxLength: 60 }),
        fc.constantFrom(' ', '.', 'é', '=', '-', '/', 'word', 'Xq3vR8mK2pLw9ZtB5nYc7HdJ4fGs6AeU'),
      ]),
      (before) => {
        expect(covered('entropy', before)).toBe(before.replace(/[\w+/-]+/g, slowly));
      },
    ),
    { numRuns: 5000 * EFFORT },
  );
});

it('addresses are found around every sign', () => {
  // What one address leaves behind it is read on from there: its local part reaches no further back.
  // Dots in a row end no domain: `a@b.co..org` is covered whole.
  const rule = /[\w.%+-]{1,64}@(?![.-])[a-zA-Z\d.-]+\.[a-zA-Z]{2,}(?=[.-]*(?![a-zA-Z\d.-]))/g;
  fc.assert(
    fc.property(
      text([fc.constantFrom('@', '@', '.', '-', 'a', 'b.co', 'x_1', '9', ' ', ',', 'a@b.co', 'mail.example.com')]),
      (before) => {
        const slowly = before.replace(rule, (hit) => {
          const [local = '', domain = ''] = hit.split('@');
          return `${stars(local)}@${domain.replace(/[^.]/g, '*')}`;
        });
        expect(covered('email', before)).toBe(slowly);
      },
    ),
    { numRuns: 5000 * EFFORT, examples: [['a@b.co..aa']] },
  );
});

it('no mark is two things at once, whatever stands beside it', () => {
  const marks = marksFor(() => true).filter((bits) => bits !== 0);
  const doubtful: string[] = [];
  for (let before = 0; before < 256; before++) {
    for (let behind = 0; behind < 256; behind++) {
      const beside = (BEFORE_MARK[before] as number) & (BEHIND_MARK[behind] as number);
      for (const bits of marks) {
        const may = bits & beside;
        if ((may & (may - 1)) !== 0) doubtful.push(`${before} ${bits} ${behind}`);
      }
    }
  }
  expect(doubtful).toEqual([]);
});
