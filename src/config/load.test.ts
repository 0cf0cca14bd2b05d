import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import { SAMPLE_CONFIG } from './sample.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

function lines(text: string): string[] {
  const loaded = parseConfig(text, 'sallyport.yaml');
  return (loaded.ok ? loaded.warnings : loaded.problems).map(formatProblem);
}

function load(text: string) {
  const loaded = parseConfig(text, '/etc/sallyport/sallyport.yaml');
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

const MINIMAL = 'version: 1\nurl: https://gw.example.com\n';
const TARGET = `${MINIMAL}targets:
  - { name: shop, protocol: postgres, address: db.example.com, database: shop, credential: { user: app } }
`;

describe('problems of a configuration', () => {
  // A pair is a case: name.yaml and the lines that are said about it, name.txt.
  it.each(readdirSync(FIXTURES).filter((name) => name.endsWith('.yaml')))('are all told for %s', async (name) => {
    const text = readFileSync(join(FIXTURES, name), 'utf8');
    await expect(`${lines(text).join('\n')}\n`).toMatchFileSnapshot(join(FIXTURES, name.replace('.yaml', '.txt')));
  });

  it('never repeat what stands in the place of a password', () => {
    const text = TARGET.replace('user: app', 'user: app, password: "hunter2 secret"');
    expect(lines(text).join()).toContain('targets[0].credential.password must be a secret reference');
    expect(lines(text).join()).not.toContain('hunter2');
  });

  it('are found for any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(parseConfig(text, 'sallyport.yaml').ok).toBe(false);
      }),
    );
  });

  it('are found wherever one value of the sample is replaced by anything', () => {
    const rows = SAMPLE_CONFIG.split('\n');
    fc.assert(
      fc.property(fc.nat(rows.length - 1), fc.json({ maxDepth: 2 }), (index, junk) => {
        const text = rows
          .with(
            index,
            (rows[index] ?? '').replace(/: .*/, () => `: ${junk}`),
          )
          .join('\n');
        const loaded = parseConfig(text, 'sallyport.yaml');
        for (const problem of loaded.ok ? [] : loaded.problems) {
          expect(problem.line).toBeGreaterThan(0);
          expect(problem.message).not.toMatch(/undefined|\[object/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a configuration', () => {
  it('needs a version and a url and no more', () => {
    expect(load(MINIMAL)).toMatchObject({
      data: '/etc/sallyport/var',
      policies: '/etc/sallyport/policies',
      url: 'https://gw.example.com',
      store: { kind: 'embedded' },
      tls: undefined,
      evidence: { durability: 'process' },
      feedGrace: 60,
      limits: { most: 20_000, perSource: 2_000, loginsPerSource: 500, loginTimeout: 30_000 },
      listen: { https: { host: '127.0.0.1', port: 7443 }, postgres: { host: '127.0.0.1', port: 7432 } },
      targets: [],
    });
  });

  it('verifies a target in full unless it is on this machine', () => {
    expect(load(TARGET).targets[0]?.tls).toEqual({ mode: 'verify-full', ca: undefined });
    const local = ['127.0.0.1', '[::1]:5433', 'localhost', '/run/postgresql'];
    for (const address of local) {
      expect(load(TARGET.replace('db.example.com', `"${address}"`)).targets[0]?.tls.mode, address).toBe('disable');
    }
    expect(load(TARGET.replace('db.example.com', '127.0.0.1.example.com')).targets[0]?.tls.mode).toBe('verify-full');
  });

  it('defaults what a target leaves out', () => {
    expect(load(TARGET).targets[0]).toMatchObject({
      address: { host: 'db.example.com', port: 5432 },
      databases: ['shop'],
      roles: ['app'],
      mode: 'enforce',
      recording: { mode: 'required', rows: 1000 },
      connections: { most: 50, queue: 100 },
      bypass: 'all',
      detect: undefined,
    });
  });

  it('takes "off" for a word', () => {
    const bypass = (value: string) => TARGET.replace('database: shop', `database: shop, bypass: ${value}`);
    expect(load(bypass('off')).targets[0]?.bypass).toBe('off');
    expect(load(bypass('shared')).targets[0]?.bypass).toBe('shared');
    expect(lines(bypass('false'))).toEqual([expect.stringContaining('targets[0].bypass')]);
  });

  it('takes a path into a column as keys joined by dots or as a list', () => {
    const columns = `columns: [
      { column: a.b.c, label: pii, mask: redact, path: address.street, derive: deny },
      { column: a.b.c, label: pii, mask: redact, path: [address, "st.reet"] } ]`;
    const [dotted, list] =
      load(TARGET.replace('database: shop', `database: shop, ${columns}`)).targets[0]?.columns ?? [];
    expect(dotted).toMatchObject({ path: ['address', 'street'], derive: 'deny' });
    expect(list).toEqual({ column: 'a.b.c', label: 'pii', mask: 'redact', path: ['address', 'st.reet'] });
  });

  it('takes secret files relative to itself', () => {
    const text = TARGET.replace('user: app', 'user: app, password: "file:secrets/shop"');
    expect(load(text).targets[0]?.credential.password).toEqual({ scheme: 'file', name: '/etc/sallyport/secrets/shop' });
  });

  it('cannot be changed once loaded', () => {
    const config = load(TARGET);
    expect(() => Object.assign(config.listen.https, { host: '0.0.0.0' })).toThrow(TypeError);
  });

  it('compares pinned claims as text', () => {
    const text = `${MINIMAL}identity:
  providers:
    - { name: ci, kind: workload, issuer: "https://ci.example.com", audience: a, match: { id: 12, ok: true }, agent: ci }
`;
    expect(load(text).identity.providers[0]).toMatchObject({ match: { id: '12', ok: 'true' }, rights: 'delegated' });
  });
});

describe('the sample', () => {
  it('loads without a word', () => {
    expect(lines(SAMPLE_CONFIG)).toEqual([]);
    expect(parseConfig(SAMPLE_CONFIG, 'sallyport.yaml').ok).toBe(true);
  });

  it('loads as well with everything in it switched on', () => {
    const all = SAMPLE_CONFIG.replace(/^(\s*)#(?=\S| {2})/gm, '$1').replace('store: embedded\n', '');
    expect(all).toContain('\nidentity:');
    expect(lines(all)).toEqual([]);
  });
});
