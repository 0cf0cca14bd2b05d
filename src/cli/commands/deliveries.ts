import type { Command } from 'commander';
import { parseCount } from '../duration.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { idOf } from '../id.ts';
import { list, object, text } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { note, plainTable, print, printJson, relative } from '../output.ts';

interface ListOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly limit: number;
}

export function addDeliveries(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description('List what could not be told about approvals, and try again.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport deliveries
  $ sallyport deliveries list --all
  $ sallyport deliveries retry DELIVERY
`,
    );

  jsonOption(gatewayOptions(deliveries.command('list', { isDefault: true })))
    .description('List messages that were given up.')
    .option('-a, --all', 'those that were sent, and those that are being tried, too')
    .option('--limit <count>', 'at most so many, newest first', parseCount, 100)
    .action(listDeliveries);

  gatewayOptions(deliveries.command('retry'))
    .argument('<delivery>', 'its id')
    .description('Try one again that was given up.')
    .action(retry);
}

async function listDeliveries(options: ListOptions): Promise<void> {
  const query = new URLSearchParams({ state: options.all ? 'all' : 'dead', limit: String(options.limit) });
  const answer = object(await (await findGateway(options)).get(`/v1/deliveries?${query.toString()}`));
  const found = list(answer['deliveries']).map(object);
  if (options.json) return printJson(found);
  if (found.length === 0)
    return note(options.all ? 'Nothing was told to anybody.' : 'Nothing was given up. (--all shows the rest.)');
  const rows = found.map((one) => [
    text(one['id']),
    text(one['destination']),
    text(one['type']),
    text(one['request']),
    text(one['state']),
    text(one['tries']),
    relative(text(one['created_at'])),
    text(one['error']),
  ]);
  print(plainTable(['DELIVERY', 'DESTINATION', 'TOLD', 'REQUEST', 'STATE', 'TRIES', 'MADE', 'ERROR'], rows));
}

async function retry(delivery: string, options: GatewayOptions): Promise<void> {
  await (await findGateway(options)).post(`/v1/deliveries/${idOf(delivery, 'delivery')}/retry`, {});
  note('It is tried again.');
}
