import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DetectObligation } from '../../core/obligation.ts';
import { bytesOf, textOf } from '../testing/rows.ts';
import { Pattern } from './pattern.ts';
import { DETECTORS, Scanner } from './scanner.ts';

/** `npm run test:long` asks for more. */
const EFFORT = Number(process.env['SALLYPORT_EFFORT'] ?? 1);

function scannerOf(detectors: readonly string[], patterns: Readonly<Record<string, string>> = {}): Scanner {
  const obligation: DetectObligation = Object.assign({ kind: 'detect', detectors, patterns } as const, {
    ['then' as const]: 'mask' as const,
  });
  return new Scanner([obligation]);
}

const everything = scannerOf(DETECTORS);

function scan(
  text: string,
  as: 'text' | 'json' | 'json-array' = 'text',
  scanner: Scanner = everything,
): { text: string; found: string[] } {
  const bytes = bytesOf(`1@${text}1@`);
  const found: string[] = [];
  scanner.scan(bytes, 2, bytes.length - 2, as, (name) => found.push(name));
  expect([...bytes.subarray(0, 2), ...bytes.subarray(-2)]).toEqual([0x31, 0x40, 0x31, 0x40]);
  return { text: textOf(bytes.subarray(2, -2)), found };
}

/** The specimen of ICAO 9303-4. */
const MRZ_NAMES = 'P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<';
const MRZ_NUMBERS = 'L898902C36UTO7408122F1204159ZE184226B<<<<<10';
const KEY = 'k'.repeat(40);
const DIGITS = Array.from('0123456789');

describe('the detectors', () => {
  it.each([
    ['4111111111111111', '************1111', 'card'],
    ['4111-1111-1111-1111', '****-****-****-1111', 'card'],
    ['3782 822463 10005', '**** ****** *0005', 'card'],
    ['"5500000000000004"', '"************0004"', 'card'],
    ['6304 0000 0000 0000 000', '**** **** **** ***0 000', 'card'],
    ['x\\n4111111111111111', 'x\\n************1111', 'card'],
    ['078-05-1120', '***-**-****', 'ssn'],
    ['078 05 1120', '*** ** ****', 'ssn'],
    ['mail bob.o+tag@mail.example.co.uk!', 'mail *********@****.*******.**.**!', 'email'],
    ['<émile@exämple.com>', '<******@********.***>', 'email'],
    ['a@b.co.', '*@*.**.', 'email'],
    ['call +44 20 7946 0958.', 'call +** ** **** **58.', 'phone'],
    ['+1 (555) 010-9999', '+* (***) ***-**99', 'phone'],
    ['DE89 3704 0044 0532 0130 00', 'DE89***********************', 'iban'],
    ['GB82WEST12345698765432 ', 'GB82****************** ', 'iban'],
    ['AKIAIOSFODNN7EXAMPLE', `AKIA${'*'.repeat(16)}`, 'secret'],
    [`token ghp_${KEY};`, `token ghp_${'*'.repeat(40)};`, 'secret'],
    [`slp_${KEY}_${KEY}`, `slp_${'*'.repeat(81)}`, 'secret'],
    [`sk-${KEY}`, `sk-${'*'.repeat(40)}`, 'secret'],
    [`dop_v1_${KEY}`, `dop_v1_${'*'.repeat(40)}`, 'secret'],
    [`sk-B${KEY}`, `sk-${'*'.repeat(41)}`, 'secret'],
    ['eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln', `eyJ${'*'.repeat(38)}`, 'secret'],
    [
      '-----BEGIN RSA PRIVATE KEY-----\nAB+/\ncd==\n-----END RSA PRIVATE KEY-----',
      '-----BEGIN RSA PRIVATE KEY-----\n****\n****\n-----END RSA PRIVATE KEY-----',
      'secret',
    ],
    ['078-05-1120 ', '***-**-**** ', 'ssn'],
    ['900-70-1234', '***-**-****', 'ssn'],
    ['2200 0000 0000 0000 053', '**** **** **** ***0 053', 'card'],
    ['8100000000000002', '************0002', 'card'],
    ['212-555-0123', '***-***-**23', 'phone'],
    ['call (212) 555-0123!', 'call (***) ***-**23!', 'phone'],
    ['(212)555-0123', '(***)***-**23', 'phone'],
    ['212.555.0123.', '***.***.**23.', 'phone'],
    ['AB123456C', '*********', 'nino'],
    ['ni AB 12 34 56 C.', 'ni *************.', 'nino'],
    ['JG 123456A', '**********', 'nino'],
    ['from 192.168.100.200.', 'from ***.***.***.***.', 'ip'],
    ['10.0.0.7/8', '**.*.*.*/8', 'ip'],
    ['2001:db8::8a2e:370:7334', '***********************', 'ip'],
    ['[2001:0db8:85a3:0000:0000:8a2e:0370:7334]', `[${'*'.repeat(39)}]`, 'ip'],
    ['fe80::1%eth0', '*******%eth0', 'ip'],
    ['2001:db8::', '**********', 'ip'],
    [MRZ_NAMES, `P<${'*'.repeat(42)}`, 'passport'],
    [`${MRZ_NAMES}\n${MRZ_NUMBERS}`, `P<${'*'.repeat(87)}`, 'passport'],
    [`${MRZ_NAMES}\nnothing`, `P<${'*'.repeat(42)}\nnothing`, 'passport'],
    ['wJalrXUtnFEMI/K7MDENG/bPxRf1CY3XAMPLEKEY', '*'.repeat(40), 'entropy'],
    ['key=Xq3vR8mK2pLw9ZtB5nYc7HdJ4fGs6AeU==', `key=${'*'.repeat(32)}==`, 'entropy'],
    ['\\nXq3vR8mK2pLw9ZtB5nYc7HdJ4fGs6AeU', `\\n${'*'.repeat(32)}`, 'entropy'],
    ['xapp-1-A012-345-abcdef0123', 'xapp-*********************', 'secret'],
    [`hf_${KEY}`, `hf_${'*'.repeat(40)}`, 'secret'],
    ['postgres://app:hunter2@db:5432/x', 'postgres://app:*******@db:5432/x', 'secret'],
    [
      '-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQVYBF\n-----END',
      '-----BEGIN PGP PRIVATE KEY BLOCK-----\n******\n-----END',
      'secret',
    ],
    ['-----BEGIN PRIVATE KEY-----\\nABCD', '-----BEGIN PRIVATE KEY-----\\n****', 'secret'],
  ])('cover %j', (text, covered, detector) => {
    expect(scan(text)).toEqual({ text: covered, found: [detector] });
    const alone = scannerOf([detector]);
    expect(scan(text, 'text', alone).text).toBe(covered);
    const others = scannerOf(DETECTORS.filter((name) => name !== detector));
    expect(scan(text, 'text', others).found).toEqual([]);
  });

  it.each([
    '4111111111111112', // check digit
    '1111111111111117', // no issuer
    '0.4111111111111111', // a fraction
    '4111111111111111.25',
    'a4111111111111111',
    'x_4111111111111111',
    '4111111111111111f',
    '41111111111111114',
    '4111 1111-1111 1111',
    '4111  1111 1111 1111',
    '000-12-3456',
    '666-12-3456',
    '900-12-3456',
    '078-00-1120',
    '078-05-0000',
    '078-05-11200',
    '1078-05-1120',
    '078-051120',
    '078 05-1120',
    '@example.com',
    'a@b',
    'a@.com',
    'a@b.c',
    'a @b.com',
    'a@b..',
    '@',
    'a@-b.com',
    '+1 555',
    '+0123456789',
    '+1234567890123456',
    'a+12345678901',
    'DE88 3704 0044 0532 0130 00',
    'XX89 3704 0044 0532 0130 00',
    'DE89 3704 0044 0532 0130 0',
    'aDE89370400440532013000',
    'AKIAIOSFODNN7EXAMPL',
    'AKIAIOSFODNN7EXAMPLE7',
    'XAKIAIOSFODNN7EXAMPLE',
    'ghp_short',
    'eyJhbGci.eyJzdWI',
    '-----BEGIN PUBLIC KEY-----\nABCD',
    '2026-06-01 12:34:56.789',
    '550e8400-e29b-41d4-a716-446655440000',
    '1717243200000',
    '192.168.100.256',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3',
    'v1.2.3.4',
    '12:34:56',
    'std::abs',
    'a::b',
    '00:1a:2b:3c:4d:5e',
    '112-555-0123',
    '212-055-0123',
    '911-555-0123',
    '212-911-0123',
    '212-555-01234',
    '212-555.0123',
    '1-212-555-0123-4',
    '555-0123',
    '900-66-1234',
    'GB123456A',
    'QQ123456C',
    'AB123456E',
    'XAB123456C',
    'AB123456',
    'AB 12 34 567 C',
    'P<UTOERIKSSON<<ANNA',
    '<P<b>text</b>',
    'https://example.com:8443/a@b',
    'https://user@host:8443',
    'd41d8cd98f00b204e9800998ecf8427e',
    'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855',
    'AbstractSingletonProxyFactoryBeanDefinitionReader',
    'usr/local/Share/Some/Very/Long/Path/With/Numbers/1/2/3',
    'the-quick-Brown-Fox-2026-jumps-Over-1-Lazy-dog',
  ])('leave %j', (text) => {
    expect(scan(text)).toEqual({ text, found: [] });
  });

  // Such a neighbour is the last byte of the cell's length, or the first of the next one's.
  it.each([
    ['.', '192.168.100.200', ''],
    [':', '2001:db8::8a2e:370:7334', ''],
    ['', '2001:db8::8a2e:370:7334', ':'],
    ['-', 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln', ''],
    ['4', '4111111111111111', '1'],
    ['\\', 'bob@x.com', '.com'],
  ])('are not misled by %j before a cell of %j and %j behind it', (before, cell, behind) => {
    const bytes = bytesOf(before + cell + behind);
    const found: string[] = [];
    everything.scan(bytes, before.length, before.length + cell.length, 'text', (name) => found.push(name));
    const text = textOf(bytes);
    expect(text.slice(before.length, before.length + cell.length)).toBe(scan(cell).text);
    expect(found).toHaveLength(1);
    expect([text.slice(0, before.length), text.slice(before.length + cell.length)]).toEqual([before, behind]);
  });

  it('find all there are', () => {
    expect(scan('a@b.co,4111111111111111;078-05-1120 a@b.co').found).toEqual(['email', 'card', 'ssn', 'email']);
    expect(scan('12 4111 1111 1111 1111 22').text).toBe('12 **** **** **** 1111 22');
  });

  it.each([
    ['{"card":4111111111111111}', '{"card":9999999999991111}'],
    ['[4111111111111111,"4111111111111111"]', '[9999999999991111,"************1111"]'],
    ['{"\\"":4111111111111111,"q":"\\\\"}', '{"\\"":9999999999991111,"q":"\\\\"}'],
    ['"write\\nbob@x.com"', '"write\\n***@*.***"'],
    ['"write\\\\nbob@x.com"', '"write\\\\****@*.***"'],
    ['"ren\\u00e9e@x.com"', '"ren\\u00e9*@*.***"'],
    ['"\\n@x.com"', '"\\n@x.com"'],
    // An address is followed 64 characters back at most: here, into the middle of an escape.
    [`"\\u0001${'a'.repeat(61)}@x.com"`, `"\\u0001${'*'.repeat(61)}@*.***"`],
  ])('keep JSON what it is: %s', (text, covered) => {
    expect(scan(text, 'json').text).toBe(covered);
    expect(() => JSON.parse(covered)).not.toThrow();
  });

  it.each([
    '{"a\\\\nbob@x.com"}',
    '{"{\\"a\\": \\"x\\\\nXq3vR8mK2pLw9ZtB5nYc7HdJ4fGs6AeU\\"}"}',
    '{"{\\"a\\": \\"\\\\u00e9Xq3vR8mK2pLw9ZtB5nYc7HdJ4fGs6AeU\\"}"}',
  ])('keep arrays of JSON what they are: %s', (text) => {
    const inner = (array: string): string => array.slice(2, -2).replace(/\\(.)/g, '$1');
    const covered = scan(text, 'json-array').text;
    expect(covered).toContain('***');
    expect(inner(covered)).toMatch(/\\(n|u00e9)\*/);
  });

  it('keep any JSON what it is', () => {
    const piece = fc.constantFrom(
      '4111111111111111',
      'bob@x.com',
      '\n',
      '\\',
      '"',
      '078-05-1120',
      '+441234567890',
      `ghp_${KEY}`,
      ' ',
      'é',
      '\u0001',
      'ORD-1',
      '212-555-0123',
      'AB123456C',
      '10.0.0.7',
      'fe80::1',
      '://a:b@',
      MRZ_NAMES,
      MRZ_NUMBERS,
      'Xq3vR8mK2pLw9ZtB5nYc7HdJ4fGs6AeU',
    );
    const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.constantFrom(4111111111111111, 5500000000000004, -1.5e-7, null, true),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(text, tie('any'), { maxKeys: 3 }),
      ),
    })).any;
    // Two keys may be alike once they are covered: only lists keep their number.
    const shape = (json: unknown): unknown => (Array.isArray(json) ? json.map(shape) : typeof json);
    const scanner = scannerOf(DETECTORS, {});
    const patterned = scannerOf(['order'], { order: 'ORD-[0-9]|[0-9]{4}|n.*b' });
    fc.assert(
      fc.property(value, fc.constantFrom(scanner, patterned), (json, by) => {
        const covered = scan(JSON.stringify(json), 'json', by).text;
        const back: unknown = JSON.parse(covered);
        if (Array.isArray(json)) expect(shape(back)).toEqual(shape(json));
        else expect(typeof back).toBe(typeof json);
      }),
      { numRuns: 1000 * EFFORT },
    );
  });
});

/** The same rules, written as plainly and slowly as can be: at every place, every rule is tried anew. */
function slowly(text: string): string {
  const separated = /(?<![A-Za-z0-9_]|\d\.)\d{4}([ -])(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{4,5})(?![A-Za-z0-9_]|\.\d)/y;
  const rules: [RegExp, (hit: string) => string | undefined][] = [
    [/(?<![A-Za-z0-9_]|\d\.)\d{13,19}(?![A-Za-z0-9_]|\.\d)/y, slowCard],
    [/(?<![A-Za-z0-9_]|\d\.)\d{4}([ -])\d{4}\1\d{4}\1\d{4}\1\d{3}(?![A-Za-z0-9_]|\.\d)/y, slowCard],
    [separated, slowCard],
    [
      /(?<![A-Za-z0-9_])(?!000|666|9)\d{3}([ -])(?!00)\d{2}\1(?!0000)\d{4}(?![A-Za-z0-9_])/y,
      (hit) => hit.replace(/\d/g, '*'),
    ],
    [
      /(?<![A-Za-z0-9_])9\d\d([ -])(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1(?!0000)\d{4}(?![A-Za-z0-9_])/y,
      (hit) => hit.replace(/\d/g, '*'),
    ],
  ];
  let covered = text;
  for (let at = 0; at < covered.length; ) {
    const image = rules.flatMap(([rule, replace]) => {
      rule.lastIndex = at;
      const hit = rule.exec(covered)?.[0];
      return (hit && replace(hit)) ?? [];
    })[0];
    if (image !== undefined) covered = covered.slice(0, at) + image + covered.slice(at + image.length);
    at += image?.length ?? 1;
  }
  return covered;
}

function slowCard(hit: string): string | undefined {
  const digits = hit.replace(/\D/g, '');
  const issuers =
    /^(4(\d{12}|\d{15}|\d{18})|3[47]\d{13}|3[0689]\d{12}|3[0689]\d{14}|35\d{14,17}|220[0-4]\d{12,15}|2[2-6]\d{14}|27[01]\d{13}|2720\d{12}|8[12]\d{14,17}|5[1-5]\d{14}|5[0678]\d{11,17}|6\d{15,18})$/;
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, digit, i) => total + (i % 2 ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(digit)]! : Number(digit)), 0);
  if (!issuers.test(digits) || sum % 10 !== 0) return undefined;
  let keep = digits.length - 4;
  return hit.replace(/\d/g, (digit) => (keep-- > 0 ? '*' : digit));
}

describe('beside a slow reference', () => {
  const luhn = (prefix: string, length: number): fc.Arbitrary<string> =>
    fc
      .string({
        unit: fc.constantFrom(...DIGITS),
        minLength: length - prefix.length - 1,
        maxLength: length - prefix.length - 1,
      })
      .map((rest) => {
        const body = prefix + rest;
        return body + DIGITS.find((digit) => slowCard(body + digit) !== undefined || digit === '9');
      });
  const grouped = fc
    .tuple(luhn('4', 16), fc.constantFrom(' ', '-'))
    .map(([digits, separator]) => digits.replace(/(\d{4})(?=\d)/g, `$1${separator}`));
  const piece = fc.oneof(
    luhn('4', 16),
    luhn('37', 15),
    luhn('6', 19),
    luhn('2200', 18),
    luhn('81', 17),
    luhn('5', 16),
    grouped,
    grouped,
    fc.constantFrom(
      '078-05-1120',
      '123 45 6789',
      '4111',
      '1111',
      '0',
      '.',
      ' ',
      '-',
      'a',
      '_',
      'é',
      '😀',
      '\n',
      '666-12-3456',
      '912-70-3456',
    ),
    fc.string({ unit: fc.constantFrom(...DIGITS, '-', ' ', '.'), maxLength: 20 }),
  );
  it('finds the same cards and numbers', () => {
    const both = scannerOf(['card', 'ssn']);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        expect(scan(text, 'text', both).text).toBe(slowly(text));
      }),
      { numRuns: 5000 * EFFORT },
    );
  });

  it('covers whole characters, at the same length, in any text', () => {
    const text = fc.array(
      fc.oneof(
        piece,
        fc.string({ unit: 'grapheme' }),
        fc.emailAddress(),
        fc.constantFrom('P<', '<', '://', 'a:b@', '212.', 'fe80::', '1.2.3.4', 'AB 12 34 56 C', MRZ_NAMES, MRZ_NUMBERS),
        fc.constantFrom('@', 'é@é.éé', '+4412345678', '-----BEGIN PRIVATE KEY-----', 'eyJ', 'slp_', 'AKIA'),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(text, (pieces) => {
        const before = pieces.join('');
        const after = scan(before).text;
        expect(bytesOf(after)).toHaveLength(bytesOf(before).length);
      }),
      { numRuns: 3000 * EFFORT },
    );
  });

  it('reads any bytes without a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        everything.scan(bytes, 0, bytes.length, 'json', () => undefined),
      ),
    );
  });
});

describe("a pattern of one's own", () => {
  it.each([
    ['not a pattern', '[', /missing/],
    ['what RE2 has not', '(?=a)b', /unsupported/],
    ['a pattern for nothing', 'a*', /matches the empty text/],
    ['a huge program', '(((a{50}){50}){50})b', /too large|repeat/],
    ['a long text', 'a'.repeat(501), /at most 500/],
  ])('is not %s', (_name, text, message) => {
    expect(() => new Pattern(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('covers its matches, between wide characters too', () => {
    const orders = scannerOf(['order'], { order: 'ORD-[0-9]{4}' });
    expect(scan('éé ORD-1234 😀ORD-5678é ORD-99', 'text', orders)).toEqual({
      text: 'éé ******** 😀********é ORD-99',
      found: ['order', 'order'],
    });
    const wide = scannerOf(['wide'], { wide: 'é+' });
    expect(scan('aééb', 'text', wide).text).toBe('a****b');
  });

  it('gives up searching after many finds and covers the rest', () => {
    const many = scannerOf(['a'], { a: 'a.*b|a' });
    const text = 'a'.repeat(200_000);
    const started = performance.now();
    expect(scan(text, 'text', many).text).toBe('*'.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('time', () => {
  it.each([
    ['one at after another', '@'],
    ['addresses without an end', 'a@'],
    ['half addresses', `${'a'.repeat(64)}@`],
    ['backslashes', '\\'],
    ['groups of four', '4234 '],
    ['one digit after another', '4 '],
    ['tokens', 'eyJ-eyJ.'],
    ['dashes', '-----BEGIN '],
    ['plus signs', '+1'],
    ['bank accounts', 'DE00 '],
    ['marks', 'p_'],
    ['prefixes', 'ghp_'],
    ['addresses of machines', '1.1.1.1.'],
    ['groups of six', 'abcd:'],
    ['double colons', 'abcd::'],
    ['users', '://a:'],
    ['lines of passports', 'P<'],
    ['national numbers', '212-'],
    ['insurance numbers', 'AB 12 '],
    ['random text', 'Xq3vR8mK2pLw9ZtB5nYc7HdJ4fGs6AeU'],
  ])('grows with the length of %s and no faster', (_name, piece) => {
    const bytes = bytesOf(piece.repeat(Math.ceil(1_000_000 / piece.length)));
    const started = performance.now();
    everything.scan(bytes, 0, bytes.length, 'json', () => undefined);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
