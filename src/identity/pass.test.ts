import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId } from '../core/id.ts';
import { makeVerifier, matches, mintPass, mockScramKeys, PASS_LENGTH, parsePass, redactPasses } from './pass.ts';
import { CountedRandom, StillClock } from './testing/fakes.ts';

const random = new CountedRandom();
const grant = newId(new StillClock(), random);
const pass = mintPass(grant, random);

describe('a pass', () => {
  it('is what the contract says and gives its parts back', () => {
    expect(pass).toMatch(/^slp_[0-9A-Za-z]{22}_[0-9A-Za-z]{38}$/);
    expect(pass).toHaveLength(PASS_LENGTH);
    expect(parsePass(pass)).toEqual({ grant, secret: pass.slice(27) });
  });

  it('never comes out twice for the same grant', () => {
    expect(mintPass(grant, random)).not.toBe(mintPass(grant, random));
  });

  it.each([
    ['nothing', ''],
    ['another prefix', pass.replace('slp_', 'slq_')],
    ['a blank before it', ` ${pass}`],
    ['a line end after it', `${pass}\n`],
    ['one character less', pass.slice(0, -1)],
    ['one character more', `${pass}0`],
    ['a character that is not base62', pass.replace(/.$/, '-')],
    ['the secret of another pass', pass.slice(0, 27) + mintPass(grant, random).slice(27, 59) + pass.slice(59)],
    ['the id of another grant', `slp_${newId(new StillClock(), random)}${pass.slice(26)}`],
  ])('is not %s', (_name, text) => {
    expect(parsePass(text)).toBeUndefined();
  });

  it('is not any other text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => parsePass(text) === undefined));
  });

  it('does not survive a change of any one character', () => {
    const other = (char: string): string => (char === 'a' ? 'b' : 'a');
    for (let at = 0; at < pass.length; at++) {
      expect(parsePass(pass.slice(0, at) + other(pass.charAt(at)) + pass.slice(at + 1))).toBeUndefined();
    }
  });

  it('loses its secret in text for logs, whole or cut short', () => {
    expect(redactPasses(`a ${pass} b ${pass.slice(0, 40)} c`)).toBe(`a slp_${grant}_*** b slp_${grant}_*** c`);
    expect(redactPasses('nothing here')).toBe('nothing here');
  });
});

describe('a verifier', () => {
  it('tells the secret from any other and from none', async () => {
    const verifier = await makeVerifier(pass.slice(27), random);
    expect(matches(pass.slice(27), verifier)).toBe(true);
    expect(matches(`${pass.slice(27, -1)}-`, verifier)).toBe(false);
    expect(matches('', verifier)).toBe(false);
    expect(matches(pass.slice(27), undefined)).toBe(false);
  });

  it('holds 4096 iterations, 16 bytes of fresh salt, and nothing of the secret', async () => {
    const [one, two] = [await makeVerifier('secret', random), await makeVerifier('secret', random)];
    expect(one.scram.iterations).toBe(4096);
    expect(one.scram.salt).toHaveLength(16);
    expect(one.scram.salt).not.toEqual(two.scram.salt);
    expect(one.scram.storedKey).not.toEqual(two.scram.storedKey);
  });

  it('has a mock that is the same for the same id and another for every other', () => {
    const key = new Uint8Array(32).fill(7);
    expect(mockScramKeys(grant, key)).toEqual(mockScramKeys(grant, key));
    expect(mockScramKeys(grant, key).salt).toHaveLength(16);
    expect(mockScramKeys(grant, key).salt).not.toEqual(mockScramKeys('other', key).salt);
    expect(mockScramKeys(grant, key).salt).not.toEqual(mockScramKeys(grant, new Uint8Array(32)).salt);
  });
});
