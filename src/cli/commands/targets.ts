import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { Failure } from '../failure.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { counted, type JsonObject, list, object, text, texts } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, note, plainTable, print, printJson, style } from '../output.ts';
import { askSecret } from '../prompt.ts';
import { proposalTable, proposalYaml, skippedLines } from '../proposals.ts';
import { addAdopt } from './targets-adopt.ts';
import { addReport } from './targets-report.ts';

type Options = GatewayOptions & { readonly json?: boolean };

interface DiscoverOptions extends Options {
  readonly database?: string;
  readonly table?: string;
  readonly sample: number;
  readonly all?: boolean;
  readonly yaml?: boolean;
}

export function addTargets(program: Command): void {
  const targets = program
    .command('targets')
    .description('List what can be connected to, test it, find what to label, and seal credentials.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport targets
  $ sallyport targets test shop
  $ sallyport targets discover shop                 columns that may need a label, and why
  $ sallyport targets discover shop --yaml          the same as lines for sallyport.yaml
  $ sallyport targets report shop --since 7d        what policies stopped, or would have
  $ sallyport targets adopt shop                    what taking over its password would do; --yes does it
  $ sallyport targets seal shop-password            asks for the value; the file then says "sealed:shop-password"
  $ sallyport targets seal shop-password < secret
`,
    );

  jsonOption(gatewayOptions(targets.command('list', { isDefault: true })))
    .description('List the targets you may connect to.')
    .action(listTargets);

  jsonOption(gatewayOptions(targets.command('test')))
    .argument('<target>', 'its name')
    .description('Let the gateway dial a target and log in there.')
    .action(test);

  jsonOption(gatewayOptions(targets.command('discover')))
    .argument('<target>', 'its name')
    .description('Look for columns without a label that hold what should have one, and propose labels.')
    .option('--database <name>', 'another database than the default one')
    .option('--table <schema.table>', 'only these; * stands for any characters, as in "billing.*"')
    .option('--sample <rows>', 'most rows of a table to look at; 0: names only', rowsOf, 1000)
    .option('--all', 'labelled columns too')
    .option('--yaml', 'print lines for "columns:" of the target in sallyport.yaml')
    .addHelpText(
      'after',
      `
The gateway reads a sample of each table with its own role, read-only and without waiting for locks, and looks through
it for cards, addresses, keys and the like; names of columns count, too. No value of the sample leaves the gateway or is
kept. Take the proposals as such: a label is decided by who knows the data.
`,
    )
    .action(discover);

  addReport(targets);
  addAdopt(targets);

  gatewayOptions(targets.command('seal'))
    .argument('<name>', 'name to keep the secret under')
    .description('Encrypt a secret into the gateway’s store. Give it on standard input, or be asked.')
    .action(seal);
}

async function listTargets(options: Options): Promise<void> {
  const answer = object(await (await findGateway(options)).get('/v1/targets'));
  if (options.json) return printJson(answer);
  const found = list(answer['targets']).map(object);
  if (found.length === 0) return note('There is no target you may connect to.');
  const rows = found.map((target) => [
    text(target['name']),
    text(target['protocol']),
    texts(target['databases']).join(', '),
    texts(target['labels']).join(', '),
    text(target['mode']),
    // Administrators alone are told.
    ...(text(target['address']) === '' ? [] : [text(target['address']), bypassOf(target)]),
  ]);
  const head = ['TARGET', 'PROTOCOL', 'DATABASES', 'LABELS', 'MODE', 'ADDRESS', 'PAST THE GATEWAY'];
  print(plainTable(head.slice(0, rows[0]?.length), rows));
}

/** How many sessions go past the gateway; a dash where nobody looks or looked. */
function bypassOf(target: JsonObject): string {
  const bypass = object(target['bypass']);
  if (text(bypass['looked_at']) === '') return '-';
  const sessions = text(bypass['sessions']);
  return sessions === '0' ? 'none seen' : counted(bypass['sessions'], 'session');
}

async function test(name: string, options: Options): Promise<void> {
  const answer = object(await (await findGateway(options)).post(`/v1/targets/${encodeURIComponent(name)}/test`, {}));
  const ok = answer['ok'] === true;
  if (!ok) process.exitCode = 1;
  if (options.json) return printJson(answer);
  print(
    `${ok ? style.green('ok') : style.red('failed')} ${clean(text(answer['message']))} (${text(answer['milliseconds'])} ms)`,
  );
  for (const line of texts(object(answer['bypass'])['lines'])) print(style.yellow(clean(line)));
}

async function discover(name: string, options: DiscoverOptions): Promise<void> {
  const { database, table, sample, all } = options;
  const wish = {
    sample,
    ...(database === undefined ? {} : { database }),
    ...(table === undefined ? {} : { tables: table.includes('.') ? table : `*.${table}` }),
    ...(all === true ? { all } : {}),
  };
  const gateway = await findGateway(options);
  const answer = object(await gateway.post(`/v1/targets/${encodeURIComponent(name)}/discover`, wish));
  if (options.json) return printJson(answer);
  const found = list(answer['proposals']).map(object);
  for (const line of skippedLines(answer)) note(line);
  const seen = `${text(answer['tables'])} tables, ${text(answer['columns'])} ${all === true ? '' : 'unlabelled '}columns`;
  if (found.length === 0) return note(`Nothing to label in ${seen}.`);
  if (options.yaml) {
    print(proposalYaml(found));
    return note(`Of ${seen}. Put these under "${clean(name)}" in sallyport.yaml; take the # off what is right.`);
  }
  print(proposalTable(found));
  note(
    `Of ${seen}. ${style.cyan(`sallyport targets discover ${clean(name)} --yaml`)} prints lines for sallyport.yaml.`,
  );
}

function rowsOf(value: string): number {
  const rows = Number(value);
  if (/^\d{1,5}$/.test(value) && rows <= 10_000) return rows;
  throw new InvalidArgumentError('It is a number of rows, 0 to 10000.');
}

async function seal(name: string, options: GatewayOptions): Promise<void> {
  const gateway = await findGateway(options);
  // A final line break is the shell's, not the secret's.
  const value = process.stdin.isTTY
    ? await askSecret(`Secret for ${name}`)
    : readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  if (value === '') throw new Failure('the secret is empty');
  await gateway.post('/v1/targets/seal', { name, value });
  note(`Sealed. In sallyport.yaml, write ${style.cyan(`sealed:${name}`)}.`);
}
