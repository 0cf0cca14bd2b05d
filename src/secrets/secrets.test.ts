import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { envelope } from './envelope.ts';
import { parseReference, resolveSecret, type SecretSources, sealSecret } from './reference.ts';
import { loadRootKey, rootKey } from './root-key.ts';
import { Secret } from './secret.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-keys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const root = rootKey(new Uint8Array(32).fill(1));

describe('the root key', () => {
  it('is made once, for its owner only', () => {
    const first = loadRootKey(join(dir, 'keys'), {});
    expect(statSync(join(dir, 'keys/root.key')).mode & 0o777).toBe(0o600);
    const second = loadRootKey(join(dir, 'keys'), {});
    expect(second.id).toBe(first.id);
    expect(second.derive('x')).toEqual(first.derive('x'));
    expect(second.derive('y')).not.toEqual(first.derive('x'));
  });

  it('comes from the environment when it is there, in hex or base64', () => {
    const hex = '01'.repeat(32);
    expect(loadRootKey(dir, { SALLYPORT_ROOT_KEY: hex }).id).toBe(root.id);
    expect(loadRootKey(dir, { SALLYPORT_ROOT_KEY: Buffer.from(hex, 'hex').toString('base64') }).id).toBe(root.id);
  });

  it('is refused when it is short, or open to others, and no message shows it', () => {
    const short = 'c2hvcnQgc2VjcmV0';
    expect(() => loadRootKey(dir, { SALLYPORT_ROOT_KEY: short })).toThrow(
      expect.objectContaining({ code: 'SECRET_UNAVAILABLE' }),
    );
    expect(() => loadRootKey(dir, { SALLYPORT_ROOT_KEY: short })).not.toThrow(short);
    writeFileSync(join(dir, 'root.key'), '01'.repeat(32));
    chmodSync(join(dir, 'root.key'), 0o640);
    expect(() => loadRootKey(dir, {})).toThrow(/chmod 600/);
  });

  it('shows its id and nothing else', () => {
    expect(`${inspect(root)} ${JSON.stringify(root)}`).not.toMatch(/0101|AQEB/);
    expect(JSON.stringify(root)).toBe(`{"id":"${root.id}"}`);
  });
});

describe('an envelope', () => {
  const sealer = envelope(root);
  const seal = (plain: Uint8Array, context: string) => sealer.seal(plain, context);
  const open = (sealed: Uint8Array, context: string) => sealer.open(sealed, context);

  it('opens what it sealed, in the context it was sealed for', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plain, context) => {
        expect(open(seal(plain, context), context)).toEqual(plain);
        expect(() => open(seal(plain, context), `${context}x`)).toThrow(
          expect.objectContaining({ code: 'SECRET_UNAVAILABLE' }),
        );
      }),
    );
  });

  it('does not open anything else: changed, cut, random, or of another root key', () => {
    const sealed = seal(Buffer.from('secret'), 'c');
    for (let i = 0; i < sealed.length; i++) {
      expect(() =>
        open(
          sealed.map((byte, at) => (at === i ? byte ^ 1 : byte)),
          'c',
        ),
      ).toThrow(/sealed/);
      expect(() => open(sealed.subarray(0, i), 'c')).toThrow(/sealed/);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(() => open(bytes, 'c')).toThrow(expect.objectContaining({ code: 'SECRET_UNAVAILABLE' }));
      }),
    );
    const other = envelope(rootKey(new Uint8Array(32).fill(2)));
    expect(() => other.open(sealed, 'c')).toThrow(/another root key/);
    expect(Buffer.from(sealed).includes('secret')).toBe(false);
  });
});

describe('a secret reference', () => {
  it.each([
    ['env:SHOP_PASSWORD', { scheme: 'env', name: 'SHOP_PASSWORD' }],
    ['file:tls/key.pem', { scheme: 'file', name: 'tls/key.pem' }],
    ['sealed:shop.password', { scheme: 'sealed', name: 'shop.password' }],
    ['env:', undefined],
    ['env:A B', undefined],
    ['sealed:../x', undefined],
    ['file:a\0b', undefined],
    ['hunter2', undefined],
    ['vault:x', undefined],
    ['env', undefined],
  ])('reads %j', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  const kept = new Map<string, Uint8Array>();
  const sealed = {
    get: (name: string) => Promise.resolve(kept.get(name)),
    put: (name: string, bytes: Uint8Array) => {
      kept.set(name, bytes);
      return Promise.resolve();
    },
  };
  const sources = (): SecretSources => ({
    base: dir,
    env: { SHOP: 'hunter2', EMPTY: '' },
    sealed,
    envelope: envelope(root),
  });

  it('is opened from the environment, from a file without its last line break, and from the store', async () => {
    writeFileSync(join(dir, 'secret'), 'two\nlines\n');
    await sealSecret('shop', 'pässword', { sealed, envelope: envelope(root), by: 'alice' });
    const reveal = async (text: string) => (await resolveSecret(parseReference(text)!, sources())).reveal();
    await expect(reveal('env:SHOP')).resolves.toBe('hunter2');
    await expect(reveal('file:secret')).resolves.toBe('two\nlines');
    await expect(reveal(`file:${dir}/secret`)).resolves.toBe('two\nlines');
    await expect(reveal('sealed:shop')).resolves.toBe('pässword');
  });

  it('cannot be exchanged for another in the store', async () => {
    await sealSecret('a', 'value', { sealed, envelope: envelope(root), by: 'alice' });
    kept.set('b', kept.get('a')!);
    await expect(resolveSecret({ scheme: 'sealed', name: 'b' }, sources())).rejects.toMatchObject({
      code: 'SECRET_UNAVAILABLE',
    });
  });

  it.each(['env:MISSING', 'env:EMPTY', 'file:missing', 'file:.', 'sealed:missing'])(
    'names %s when there is nothing',
    async (text) => {
      await expect(resolveSecret(parseReference(text)!, sources())).rejects.toMatchObject({
        code: 'SECRET_UNAVAILABLE',
        message: expect.stringContaining(text),
      });
    },
  );

  it.each([
    ['a name with a slash', 'a/b', 'x'],
    ['an empty value', 'a', ''],
    ['a huge value', 'a', 'x'.repeat(70_000)],
  ])('is not sealed: %s', async (_name, name, value) => {
    await expect(sealSecret(name, value, { sealed, envelope: envelope(root), by: 'a' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

it('a secret shows its name wherever it is printed', () => {
  const secret = new Secret('env:SHOP', 'hunter2');
  const printed = [
    String(secret),
    ['', secret].join(''),
    JSON.stringify({ secret }),
    inspect({ deep: [secret] }),
    Object.keys(secret).join(),
  ];
  for (const text of printed) expect(text).not.toContain('hunter2');
  expect(inspect(secret)).toBe('[secret env:SHOP]');
  expect(secret.reveal()).toBe('hunter2');
});
