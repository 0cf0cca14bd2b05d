import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { parseCount } from '../duration.ts';
import { Failure } from '../failure.ts';
import { configPath, findGateway, type GatewayOptions } from '../gateway.ts';
import { type JsonObject, object, text, texts } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, print, style } from '../output.ts';

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

  jsonOption(audit.command('verify'))
    .description('Check every link and signature of the evidence on disk, and name the first that is broken.')
    .option('-c, --config <file>', 'configuration file (default: ./sallyport.yaml)')
    .option('--data <folder>', 'the data folder, where there is no configuration')
    .action(verify);
}

async function tail(options: TailOptions): Promise<void> {
  const query = new URLSearchParams({ last: String(options.lines), follow: String(options.follow === true) });
  for (const name of ['type', 'session', 'since'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, value);
  }
  for await (const event of findGateway(options).lines(`/v1/audit?${query.toString()}`)) {
    print(options.json ? JSON.stringify(event) : line(object(event)));
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
function line(event: JsonObject): string {
  const type = text(event['type']);
  const colour = COLOURS[type] ?? ((plain: string) => plain);
  const who = text(event['chain']) || text(event['by']) || text(event['principal']);
  const about = [
    text(event['target']),
    texts(event['verbs']).join(' '),
    text(event['statement']),
    text(event['reason']),
    text(event['message']),
    text(event['error']),
    texts(event['policies']).length > 0 ? `[${texts(event['policies']).join(' ')}]` : '',
  ].filter((part) => part !== '');
  return [style.dim(text(event['at'])), colour(type.padEnd(17)), clean(who), clean(about.join('  '))]
    .filter(Boolean)
    .join('  ');
}

async function verify(options: { config?: string; data?: string; json?: boolean }): Promise<void> {
  const data = options.data ?? dataFolder(options);
  const path = new URL('../../audit/verify.ts', import.meta.url).href;
  await (await import(path)).verifyEvidence(data);
}

function dataFolder(options: { config?: string }): string {
  const path = configPath(options);
  const loaded = loadConfig(path);
  if (loaded.ok) return loaded.config.data;
  throw new Failure(`${path} does not say where the data is`, { hint: 'Use --data FOLDER, or see "sallyport check".' });
}
