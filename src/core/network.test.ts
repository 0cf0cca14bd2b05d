import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress, parseBlock, within } from './network.ts';

describe('an address block', () => {
  it.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '10.0.0.1', false],
    ['2001:db8::/32', '2001:db8:1::9', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['192.168.1.7', '192.168.1.7', true],
  ])('%s holds %s: %s', (outer, inner, expected) => {
    const [block, address] = [parseBlock(outer), parseBlock(inner)];
    expect(block && address && within(address, block)).toBe(expected);
  });

  it.each([
    '',
    '10.0.0.1/8',
    '10.0.0/8',
    '10.0.0.0/33',
    '010.0.0.0',
    '10.0.0.256',
    '1:2:3',
    '::1::',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '::g',
    '::1/129',
    '10.0.0.0/8/8',
    '10.0.0.0/08',
    '::1.2.3',
    'localhost',
    '1::2:3:4:5:6:7:8',
  ])('is not %j', (text) => {
    expect(parseBlock(text)).toBeUndefined();
  });

  it('has one spelling per address', () => {
    expect(canonicalAddress('::FFFF:1.2.3.4')).toBe('1.2.3.4');
    expect(canonicalAddress('fe80::1%eth0')).toBe('fe80:0:0:0:0:0:0:1');
    expect(canonicalAddress('/run/socket')).toBeUndefined();
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const canonical = canonicalAddress(address);
        expect(canonical && canonicalAddress(canonical)).toBe(canonical);
        expect(canonical && parseBlock(canonical)).toEqual(parseBlock(address));
      }),
    );
  });
});
