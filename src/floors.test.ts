import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

// The law between the floors (docs/adr/0002): who may import whom, how long a file may grow, and the few places
// where a proof is made. A new edge needs an ADR and a line here.

const SRC = import.meta.dirname;
const CAPABILITIES = [
  'identity',
  'approvals',
  'reviews',
  'recording',
  'audit',
  'secrets',
  'catalog',
  'config',
  'metrics',
];

/** Floor -> floors it may import, itself aside. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  wire: ['core'],
  masking: ['core'],
  sql: ['core'],
  policy: ['core'],
  drivers: ['core', 'wire', 'masking', 'sql'],
  ...Object.fromEntries(CAPABILITIES.map((name) => [name, ['core']])),
  // The store implements the ports that capabilities declare.
  store: ['core', ...CAPABILITIES],
  data: ['core', 'wire', 'masking', 'sql', 'policy', 'drivers', ...CAPABILITIES],
  control: ['core', 'policy', 'sql', ...CAPABILITIES],
  cli: ['core', 'policy', 'sql', 'masking', 'wire', 'store', 'control', 'devtools', 'main.ts', ...CAPABILITIES],
  // The development identity provider and the demo's database: never imported by a serving gateway.
  devtools: ['core', 'identity', 'store'],
};

/** The composition root: may import everything, holds no logic. */
const ROOTS = ['main.ts', 'wiring'];

/** Packages a pure floor may import. */
const PURE: Record<string, readonly string[]> = {
  core: [],
  wire: [],
  masking: ['re2js'],
  sql: ['libpg-query'],
};

/** Files over 400 lines, each with its reason. */
const LONG: Record<string, string> = {};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ name: file.split(sep).join('/'), text: readFileSync(join(SRC, file), 'utf8') }));

const production = files.filter((file) => !file.name.endsWith('.test.ts') && !file.name.includes('/testing/'));

function importsOf(file: { name: string; text: string }): string[] {
  const statements = /^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm;
  return [...file.text.matchAll(statements)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function floorOf(path: string): string {
  return path.split('/')[0] ?? '';
}

describe('the floors', () => {
  it('import only what the plan allows', () => {
    const broken = production.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) =>
          relative(SRC, join(SRC, file.name, '..', specifier))
            .split(sep)
            .join('/'),
        )
        .filter((imported) => {
          const from = floorOf(file.name);
          const to = floorOf(imported);
          return from !== to && !ROOTS.includes(from) && !(MAY_IMPORT[from] ?? []).includes(to);
        })
        .map((imported) => `${file.name} -> ${imported}`),
    );
    expect(broken).toEqual([]);
  });

  it('keep sockets, files and packages out of the pure rooms', () => {
    const broken = production.flatMap((file) => {
      const allowed = PURE[floorOf(file.name)];
      if (!allowed) return [];
      return importsOf(file)
        .filter((specifier) => !specifier.startsWith('.') && !allowed.includes(specifier))
        .map((specifier) => `${file.name} -> ${specifier}`);
    });
    expect(broken).toEqual([]);
  });

  it('keep files short', () => {
    const long = production
      .filter((file) => file.text.split('\n').length > 400 && !(file.name in LONG))
      .map((file) => file.name);
    expect(long).toEqual([]);
  });

  it('keep folders free of barrel files', () => {
    expect(production.filter((file) => file.name.endsWith('/index.ts')).map((file) => file.name)).toEqual([]);
  });

  it('make a clearance in one place', () => {
    const makers = production
      .filter((file) => /\bas (unknown as )?Clearance\b/.test(file.text))
      .map((file) => file.name);
    expect(makers).toEqual(['data/gate.ts']);
  });
});
