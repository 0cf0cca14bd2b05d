import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { SAMPLE_CONFIG, sampleConfig } from '../../config/sample.ts';
import { didYouMean } from '../../config/suggest.ts';
import { starterPolicies } from '../../policy/starter.ts';
import { Failure } from '../failure.ts';
import { note, print, style } from '../output.ts';
import type { Pack } from '../packs/pack.ts';
import { PACKS, targetFor } from '../packs/packs.ts';

export function addInit(program: Command): void {
  program
    .command('init')
    .argument('[folder]', 'where to write', '.')
    .description('Write a commented sallyport.yaml and starter policies. Never overwrites anything.')
    .option('--pack <names>', 'with labels, masks, detectors, budgets and policies for: pci, hipaa, gdpr', packsOf, [])
    .addHelpText(
      'after',
      `
Packs, one or several:
${PACKS.map(({ name, about }) => `  ${name.padEnd(6)} ${about}`).join('\n')}
A pack is a start, written out for you to read and change; it makes nobody compliant by itself.

Examples:
  $ sallyport init
  $ sallyport init /etc/sallyport
  $ sallyport init --pack pci,gdpr
`,
    )
    .action((folder: string, options: { pack: readonly Pack[] }) => init(resolve(folder), options.pack));
}

function packsOf(names: string, before: readonly Pack[]): readonly Pack[] {
  const wanted = names.split(',').map((name) => name.trim().toLowerCase());
  const all = PACKS.map(({ name }) => name);
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `There is no pack "${unknown}"${didYouMean(unknown, all) || `; there are ${all.join(', ')}`}.`,
    );
  }
  return PACKS.filter((pack) => wanted.includes(pack.name) || before.includes(pack));
}

function init(folder: string, packs: readonly Pack[]): void {
  const policy = (name: string, text: string) => ({ path: join(folder, 'policies', name), text });
  const files = [
    { path: join(folder, 'sallyport.yaml'), text: packs.length === 0 ? SAMPLE_CONFIG : sampleConfig(targetFor(packs)) },
    ...starterPolicies('shop').map(({ name, text }) => policy(name, text)),
    policy('starter.test.yaml', SAMPLE_TESTS),
    ...packs.flatMap((pack) => [
      policy(`${pack.name}.cedar`, pack.policies),
      policy(`${pack.name}.test.yaml`, pack.tests),
    ]),
  ];
  const there = files.map(({ path }) => path).filter((path) => existsSync(path));
  if (there.length > 0) {
    throw new Failure(
      `${there.map(show).join(', ')} ${there.length === 1 ? 'is' : 'are'} already there; nothing was written`,
      {
        hint: 'Choose another folder: "sallyport init FOLDER".',
      },
    );
  }
  mkdirSync(join(folder, 'policies'), { recursive: true });
  // wx: between the look and the write somebody else may have written.
  for (const { path, text } of files) writeFileSync(path, text, { flag: 'wx', mode: 0o644 });

  for (const { path } of files) print(show(path));
  const at = relative(process.cwd(), folder);
  const flag = at === '' ? '' : ` --config ${join(at, 'sallyport.yaml')}`;
  note(`
${style.bold('Next')}
  1. In sallyport.yaml, say where your database is and who your identity provider is.
  2. Put the database password where the file says: ${style.cyan('export SHOP_PASSWORD=…')}
  3. ${style.cyan(`sallyport check${flag}`)}     says what is wrong, with line and column
  4. ${style.cyan(`sallyport serve${flag}`)}
  5. ${style.cyan(`sallyport targets discover shop${flag}`)}     says which columns need a label`);
}

function show(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}

const SAMPLE_TESTS = `# What the policies beside this file must say. "sallyport check" asks them.
# A resource is target/database/schema/table/column, as far as it goes.
- name: support reads orders
  as: { name: alice, groups: [support] }
  action: select
  resource: shop/shop/public/orders
  expect: permit

- name: nobody changes rows without saying which
  as: { name: eve, groups: [engineering] }
  action: delete
  resource: shop/shop/public/orders
  context: { bounded: false }
  expect: deny
  policies: [bounded-writes]

- name: a helper that its parent only named does not write
  as: { name: eve, groups: [engineering], agents: [{ name: helper, kind: tool, assurance: asserted }] }
  action: update
  resource: shop/shop/public/orders
  expect: deny
  policies: [asserted-helpers-read-only]

- name: changing the structure of production waits for an approval
  as: { name: eve, groups: [engineering] }
  action: ddl
  resource: shop/shop/public/orders
  expect: hold
`;
