import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { SAMPLE_CONFIG } from '../../config/sample.ts';
import { starterPolicies } from '../../policy/starter.ts';
import { Failure } from '../failure.ts';
import { note, print, style } from '../output.ts';

export function addInit(program: Command): void {
  program
    .command('init')
    .argument('[folder]', 'where to write', '.')
    .description('Write a commented sallyport.yaml and starter policies. Never overwrites anything.')
    .addHelpText('after', '\nExamples:\n  $ sallyport init\n  $ sallyport init /etc/sallyport\n')
    .action((folder: string) => init(resolve(folder)));
}

function init(folder: string): void {
  const files = [
    { path: join(folder, 'sallyport.yaml'), text: SAMPLE_CONFIG },
    ...starterPolicies('shop').map(({ name, text }) => ({ path: join(folder, 'policies', name), text })),
    { path: join(folder, 'policies', 'starter.test.yaml'), text: SAMPLE_TESTS },
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
  4. ${style.cyan(`sallyport serve${flag}`)}`);
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
