import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyRules } from '../../catalog/rules.ts';
import { DETECTORS } from '../../config/build.ts';
import { parseConfig } from '../../config/load.ts';
import { sampleConfig } from '../../config/sample.ts';
import type { CatalogRelation } from '../../core/catalog.ts';
import { sallyport } from '../testing/run.ts';
import { PACKS, targetFor } from './packs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-packs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NAMES = PACKS.map(({ name }) => name);

function targetOf(...names: string[]) {
  const text = sampleConfig(targetFor(PACKS.filter(({ name }) => names.includes(name))));
  const loaded = parseConfig(text, 'sallyport.yaml');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.warnings).toEqual([]);
  const [target] = loaded.config.targets;
  if (!target) throw new Error('no target');
  return target;
}

describe('sallyport init --pack', () => {
  it.each([['pci'], ['hipaa'], ['gdpr'], ['pci,hipaa,gdpr']])('%s writes what passes the check', async (names) => {
    const written = await sallyport(['init', '--pack', names], { cwd: folder });
    expect(written.code).toBe(0);
    for (const name of names.split(','))
      expect(written.out).toContain(`policies/${name}.cedar\npolicies/${name}.test.yaml`);
    const checked = await sallyport(['check', '--strict'], { cwd: folder });
    expect(checked).toMatchObject({ code: 0, out: '' });
    expect(checked.err).toContain('no errors');
  });

  it('says which packs there are', async () => {
    const { out } = await sallyport(['init', '--help'], { cwd: folder });
    for (const { name, about } of PACKS)
      expect(out).toMatch(new RegExp(`^ +${name} +${about.replace(/[()]/g, '\\$&')}`, 'm'));
    const wrong = await sallyport(['init', '--pack', 'pci,gpdr'], { cwd: folder });
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain('did you mean "gdpr"');
  });

  it('has tests that its policies decide', async () => {
    await sallyport(['init', '--pack', NAMES.join(',')], { cwd: folder });
    for (const { name, policies } of PACKS) {
      const ids = [...policies.matchAll(/^@id\("([^"]+)"\)/gm)].map(([, id]) => id);
      const text = readFileSync(join(folder, 'policies', `${name}.test.yaml`), 'utf8');
      expect(ids.some((id) => text.includes(`policies: [${id}]`))).toBe(true);
    }
  });
});

describe('a pack', () => {
  it.each(NAMES)('%s names detectors there are, and labels something', (name) => {
    const target = targetOf(name);
    expect(target.detect?.detectors.filter((one) => !DETECTORS.includes(one))).toEqual([]);
    expect(target.columns.length).toBeGreaterThan(20);
    expect(target.budgets.length).toBeGreaterThan(0);
  });

  it('beside another one gives each label and budget once, the smaller one', () => {
    const target = targetOf('hipaa', 'gdpr');
    expect(target.budgets.map(({ label }) => label)).toEqual(['phi', 'pii']);
    expect(target.columns.some(({ label }) => label === 'pii.special')).toBe(true);
    expect(targetOf('hipaa').columns.some(({ label }) => label === 'pii.special')).toBe(false);
  });

  it('labels no catalog, and is silent where it finds nothing', () => {
    const relation = (schema: string, name: string, ...columns: string[]): CatalogRelation => ({
      oid: name.length,
      schema,
      name,
      kind: 'r',
      labels: [],
      active: false,
      columns: columns.map((column, i) => ({ name: column, attribute: i + 1, type: 25, labels: [] })),
    });
    const { direct, problems } = applyRules(
      [
        relation('pg_catalog', 'pg_authid', 'rolpassword', 'email'),
        relation('information_schema', 'x', 'email'),
        relation('public', 'people', 'id', 'email', 'cvv2'),
      ],
      targetOf(...NAMES).columns,
    );
    expect(problems).toEqual([]);
    expect([...direct.keys()]).toEqual(['people'.length]);
    const labels = [...(direct.get('people'.length)?.entries() ?? [])];
    expect(labels.map(([attribute, all]) => [attribute, ...all.map(({ label }) => label)])).toEqual([
      [3, 'pci.sad.cvv'],
      [2, 'pii.email'],
    ]);
  });
});
