import type { Command } from 'commander';
import { asPerson } from '../as-person.ts';
import { Failure } from '../failure.ts';
import type { GatewayOptions } from '../gateway.ts';
import { object, text } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { describeRequest } from '../request.ts';

interface RequestOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly role?: string;
  readonly purpose?: string;
  readonly parameter?: string[];
  readonly wait?: boolean;
}

export function addRequest(program: Command): void {
  jsonOption(gatewayOptions(program.command('request')))
    .argument('<on>', 'target, or target.database')
    .argument('<sql>', 'the statement, exactly as it will be sent')
    .option('--role <role>', 'upstream role, where the target has several')
    .option('--purpose <text>', 'for whoever answers')
    .option('-p, --parameter <value...>', 'values of $1, $2, …')
    .option('--wait', 'until it is answered')
    .description('Ask for approval of a statement before it is run.')
    .addHelpText(
      'after',
      `
Once it is approved the statement runs without waiting, also inside a transaction: once, for the same login and agents.

Examples:
  $ sallyport request shop "DROP TABLE staging_orders" --purpose "CHG-4711" --wait
  $ SALLYPORT_PASS=slp_… sallyport request shop "DELETE FROM carts WHERE id = \\$1" -p 42
`,
    )
    .action(ask);
}

async function ask(on: string, sql: string, options: RequestOptions): Promise<void> {
  const gateway = await asPerson(options);
  const { role, purpose, parameter: parameters } = options;
  const body = Object.fromEntries(
    Object.entries({ on, sql, role, purpose, parameters }).filter(([, value]) => value !== undefined),
  );
  let request = object(await gateway.post('/v1/approvals', body));
  const id = text(request['id']);
  if (options.wait === true) {
    note(`Waiting for an answer to ${id}…`);
    while (text(request['state']) === 'waiting') request = object(await gateway.get(`/v1/approvals/${id}?wait=50s`));
  }
  if (options.json) printJson(request);
  else print(describeRequest(request));
  const state = text(request['state']);
  if (options.wait === true && state !== 'approved') throw new Failure(`request ${id} is ${state}`, { exit: 4 });
}
