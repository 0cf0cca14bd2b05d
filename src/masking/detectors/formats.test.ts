import fc from 'fast-check';
import { expect, it } from 'vitest';
import { covered } from '../testing/covered.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

// The same rules as expressions, tried anew at every place.
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const CODE = '(?!.11)[2-9]\\d\\d';
const SLOW: Record<string, { rule: RegExp; pieces: readonly string[]; keep?: number }> = {
  nino: {
    rule: /(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?(?:\d{6}|\d\d \d\d \d\d) ?[A-D](?!\w)/g,
    pieces: ['AB', 'GB', 'QA', 'AO', '12', '123456', '12 34 56', 'A', 'D', 'E', ' ', '_', 'é', 'AB123456C'],
  },
  ip: {
    rule: new RegExp(`(?<![\\w.])(?:${OCTET}\\.){3}${OCTET}(?!\\w|\\.\\d)`, 'g'),
    pieces: ['10.', '0', '255', '256', '.', '1.2.3.4', ' ', 'x', '01', '192.168.0.1', ',', '-'],
  },
  phone: {
    rule: new RegExp(
      `(?<!\\w)(?<!\\d[-.])(?:${CODE}([-.])${CODE}\\1\\d{4}(?!\\w)(?!\\1\\d|\\.\\d)|\\(${CODE}\\) ?${CODE}-\\d{4}(?!\\w)(?![-.]\\d))`,
      'g',
    ),
    pieces: [
      '212',
      '555',
      '911',
      '0123',
      '-',
      '.',
      '(',
      ')',
      ' ',
      '(212) 555-0123',
      '212-555-0123',
      '212.555.0123',
      '1',
      'a',
    ],
    keep: 2,
  },
};

it.each(Object.entries(SLOW))('%s is found where its rule says', (detector, { rule, pieces, keep }) => {
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((parts) => parts.join(''));
  const slowly = (before: string): string =>
    before.replace(rule, (hit) => {
      if (detector === 'nino') return '*'.repeat(hit.length);
      let rest = (hit.match(/\d/g)?.length ?? 0) - (keep ?? 0);
      return hit.replace(/\d/g, (digit) => (rest-- > 0 ? '*' : digit));
    });
  fc.assert(
    fc.property(text, (before) => {
      expect(covered(detector, before)).toBe(slowly(before));
    }),
    { numRuns: 5000 * EFFORT },
  );
});

it('reads IPv6 addresses as a careful parser does', () => {
  const group = fc.constantFrom('2001', 'db8', '0', 'fe80', '1', 'beef', 'abcde', '');
  const text = fc.array(group, { minLength: 2, maxLength: 10 }).map((groups) => groups.join(':'));
  fc.assert(
    fc.property(text, (address) => {
      const groups = address.split(':');
      const isValid = URL.canParse(`http://[${address}]/`);
      const counted = groups.filter((one) => one !== '').length;
      const isFound = isValid && (groups[0]?.length ?? 0) >= 3 && counted > 1;
      expect(covered('ip', address) === '*'.repeat(address.length), address).toBe(isFound);
    }),
    { numRuns: 5000 * EFFORT },
  );
});
