import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Failure } from '../failure.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { list, object, text, texts } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, note, plainTable, print, printJson, style } from '../output.ts';
import { askSecret } from '../prompt.ts';

type Options = GatewayOptions & { readonly json?: boolean };

export function addTargets(program: Command): void {
  const targets = program
    .command('targets')
    .description('List what can be connected to, test it, and seal its credentials.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport targets
  $ sallyport targets test shop
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
    ...(text(target['address']) === '' ? [] : [text(target['address'])]),
  ]);
  const head = ['TARGET', 'PROTOCOL', 'DATABASES', 'LABELS', 'MODE', 'ADDRESS'];
  print(plainTable(head.slice(0, rows[0]?.length), rows));
}

async function test(name: string, options: Options): Promise<void> {
  const answer = object(await (await findGateway(options)).post(`/v1/targets/${encodeURIComponent(name)}/test`, {}));
  const ok = answer['ok'] === true;
  if (!ok) process.exitCode = 1;
  if (options.json) return printJson(answer);
  print(
    `${ok ? style.green('ok') : style.red('failed')} ${clean(text(answer['message']))} (${text(answer['milliseconds'])} ms)`,
  );
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
