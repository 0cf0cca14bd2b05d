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
  readonly target?: string;
  readonly chain?: string;
  readonly limit: number;
}

export function addSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .description('List sessions, and end them.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport sessions
  $ sallyport sessions --all --target shop
  $ sallyport sessions kill SESSION --reason "left open"
  $ sallyport replay SESSION
`,
    );

  jsonOption(gatewayOptions(sessions.command('list', { isDefault: true })))
    .description('List live sessions.')
    .option('-a, --all', 'ended ones too')
    .option('--target <name>', 'only on this target')
    .option('--chain <id>', 'only those with this grant, principal or agent in their chain')
    .option('--limit <count>', 'at most so many, newest first', parseCount, 100)
    .action(listSessions);

  gatewayOptions(sessions.command('kill'))
    .argument('<session>', 'its id')
    .option('--reason <text>', 'for the audit log; its client is told too')
    .description('End a session now, with whatever it is running.')
    .action(kill);
}

async function listSessions(options: ListOptions): Promise<void> {
  const query = new URLSearchParams({ limit: String(options.limit), all: String(options.all === true) });
  if (options.target !== undefined) query.set('target', options.target);
  if (options.chain !== undefined) query.set('chain', options.chain);
  const answer = object(await (await findGateway(options)).get(`/v1/sessions?${query.toString()}`));
  const found = list(answer['sessions']).map(object);
  if (options.json) return printJson(found);
  if (found.length === 0)
    return note(options.all ? 'There are no sessions.' : 'There are no live sessions. (--all shows ended ones.)');
  const rows = found.map((session) => {
    const totals = object(session['totals']);
    return [
      text(session['id']),
      text(session['target']),
      text(session['chain']),
      relative(text(session['started_at'])),
      text(session['cause']) || (session['ended_at'] === null ? 'live' : 'ended'),
      text(totals['operations']),
      text(totals['denied']),
    ];
  });
  print(plainTable(['SESSION', 'TARGET', 'CHAIN', 'STARTED', 'STATE', 'OPERATIONS', 'DENIED'], rows));
}

async function kill(session: string, options: GatewayOptions & { reason?: string }): Promise<void> {
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const id = idOf(session, 'session');
  await (await findGateway(options)).post(`/v1/sessions/${id}/kill`, body);
  note('Killed.');
}
