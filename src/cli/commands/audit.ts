import type { Command } from 'commander';
import { parseCount } from '../duration.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { type JsonObject, object, text, texts } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, print, style } from '../output.ts';
import { addVerify } from './audit-verify.ts';

interface TailOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
  readonly type?: string;
  readonly session?: string;
  readonly since?: string;
}

export function addAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description('Read the audit log, and verify it.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport audit tail -n 50
  $ sallyport audit tail --follow --type operation.denied,alarm
  $ sallyport audit verify                  needs no running gateway
`,
    );

  jsonOption(gatewayOptions(audit.command('tail')))
    .description('Show the newest events; with --follow, those to come as well.')
    .option('-f, --follow', 'go on')
    .option('-n, --lines <count>', 'how many', parseCount, 20)
    .option('--type <types>', 'only these, separated by commas')
    .option('--session <id>', 'only of this session')
    .option('--since <time>', 'only since then, as in 2026-01-31T12:00:00Z')
    .action(tail);

  addVerify(audit);
}

async function tail(options: TailOptions): Promise<void> {
  const query = new URLSearchParams({ last: String(options.lines), follow: String(options.follow === true) });
  for (const name of ['type', 'session', 'since'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, value);
  }
  // Operations carry the id of their session; who that was is in the session's first event.
  const chains = new Map<string, string>();
  for await (const value of (await findGateway(options)).lines(`/v1/audit?${query.toString()}`)) {
    const event = object(value);
    const session = text(event['session']);
    if (session !== '' && text(event['chain']) !== '') chains.set(session, text(event['chain']));
    print(options.json ? JSON.stringify(value) : line(event, session === '' ? undefined : chains.get(session)));
    if (text(event['type']) === 'session.end') chains.delete(session);
  }
}

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  alarm: style.red,
  'operation.denied': style.red,
  'login.refused': style.red,
  'grant.refused': style.red,
  'session.refused': style.red,
  'operation.held': style.yellow,
  'grant.revoked': style.yellow,
  'session.killed': style.yellow,
};

/** Time, type, who, and what it was about; the rest is in the JSON. */
function line(event: JsonObject, chain: string | undefined): string {
  const type = text(event['type']);
  const colour = COLOURS[type] ?? ((plain: string) => plain);
  const who = text(event['chain']) || text(event['by']) || (chain ?? text(event['principal']));
  const about = [
    text(event['target']),
    ...alarmOf(event),
    text(event['stage']),
    texts(event['verbs']).join(' '),
    text(event['statement']),
    text(event['reason']),
    text(event['message']),
    text(event['error']),
    text(event['tag']),
    text(event['cause']),
    texts(event['policies']).length > 0 ? `[${texts(event['policies']).join(' ')}]` : '',
  ].filter((part) => part !== '');
  return [style.dim(text(event['at'])), colour(type.padEnd(17)), clean(who), clean(about.join('  '))]
    .filter(Boolean)
    .join('  ');
}

/** What an alarm is about: whose sessions, and from where. */
function alarmOf(event: JsonObject): readonly string[] {
  if (text(event['alarm']) === '') return [];
  return [text(event['alarm']), text(event['role']), text(event['address'])];
}
