import { Argument, type Command } from 'commander';
import type { GatewayClient } from '../client.ts';
import { parseCount } from '../duration.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { type JsonObject, list, object, text } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { note, plainTable, print, printJson, relative } from '../output.ts';
import { agentOf, principalOf } from '../who.ts';

interface ListOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly limit: number;
}

export function addRevocations(program: Command): void {
  const revocations = program
    .command('revocations')
    .description('List who and what is kept out, and let them in again.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport revocations
  $ sallyport revocations lift user carol@example.com --reason "back on the project"

To revoke something: sallyport revoke --help
`,
    );

  jsonOption(gatewayOptions(revocations.command('list', { isDefault: true })))
    .description('List what is kept out until it is lifted.')
    .option('-a, --all', 'everything that was ever revoked, newest first')
    .option('--limit <count>', 'at most so many', parseCount, 100)
    .action(listRevocations);

  gatewayOptions(revocations.command('lift'))
    .addArgument(new Argument('<kind>', 'what it is').choices(['user', 'principal', 'agent', 'login', 'target']))
    .argument('<what>', 'its id or name')
    .option('--reason <text>', 'for the audit log')
    .description('Let new logins use it again. Passes and sessions of before stay dead.')
    .action(lift);
}

async function listRevocations(options: ListOptions): Promise<void> {
  const query = new URLSearchParams({ limit: String(options.limit), all: String(options.all === true) });
  const answer = object(await (await findGateway(options)).get(`/v1/revocations?${query.toString()}`));
  const found = list(answer['revocations']).map(object);
  if (options.json) return printJson(found);
  if (found.length === 0) {
    return note(options.all ? 'Nothing was revoked.' : 'Nobody and nothing is kept out. (--all shows what ended.)');
  }
  const rows = found.map((one) => [
    text(one['kind']),
    one['group'] ? `${text(one['id'])} in ${text(one['group'])}` : text(one['id']),
    relative(text(one['at'])),
    stateOf(one),
    text(one['by']),
    text(one['reason']),
  ]);
  print(plainTable(['KIND', 'WHAT', 'REVOKED', 'STATE', 'BY', 'REASON'], rows));
}

function stateOf(revocation: JsonObject): string {
  const lifted = object(revocation['lifted']);
  if (text(lifted['at']) !== '') return `lifted ${relative(text(lifted['at']))}`;
  return revocation['lasting'] === true ? 'kept out' : 'until then';
}

async function lift(kind: string, what: string, options: GatewayOptions & { reason?: string }): Promise<void> {
  const gateway = await findGateway(options);
  const subject = await subjectOf(kind, what, gateway);
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  await gateway.post('/v1/revocations/lift', { ...subject, ...reason });
  note('Lifted. New logins may use it; passes and sessions of before stay dead.');
}

async function subjectOf(kind: string, what: string, gateway: GatewayClient): Promise<{ kind: string; id: string }> {
  switch (kind) {
    case 'user':
    case 'principal':
      return { kind: 'principal', id: (await principalOf(what, gateway)).id };
    case 'agent':
      return { kind, id: (await agentOf(what, gateway)).id };
    default:
      return { kind, id: what };
  }
}
