import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { storedLogin } from '../credentials.ts';
import { parseCount, parseDuration } from '../duration.ts';
import { Failure } from '../failure.ts';
import { environment, findGateway, type GatewayOptions } from '../gateway.ts';
import { idOf } from '../id.ts';
import { type JsonObject, list, object, text } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, note, plainTable, print, printJson, relative, style } from '../output.ts';
import { exchange, isPass, TOKEN_TYPE } from '../token.ts';
import { grantTree } from '../tree.ts';

interface Narrowing {
  readonly target?: readonly string[];
  readonly database?: readonly string[];
  readonly role?: readonly string[];
  readonly action?: readonly string[];
  readonly table?: readonly string[];
  readonly details?: string;
  readonly expires?: number;
  readonly connectWithin?: number;
  readonly uses?: number;
  readonly rows?: number;
  readonly totalRows?: number;
  readonly maxDepth?: number;
  readonly delegate?: boolean;
  readonly purpose?: string;
  readonly source?: readonly string[];
  readonly actorToken?: string;
  readonly as?: string;
  readonly kind?: string;
}

interface IssueOptions extends GatewayOptions, Narrowing {
  readonly subjectToken?: string;
  readonly subjectType?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

export function addPass(program: Command): void {
  const pass = program
    .command('pass')
    .description('Issue, narrow, list and revoke passes: what agents log in with on somebody’s behalf.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport pass issue --target shop --action select --expires 15m
  $ sallyport pass issue --target shop --actor-token ci.jwt     for a CI job, which proves who it is
  $ sallyport pass narrow --as helper --target shop --table public.orders:id,total
  $ sallyport pass tree
  $ sallyport pass revoke GRANT
`,
    );

  narrowingOptions(gatewayOptions(pass.command('issue')))
    .description(
      'Issue a pass below your login (or for a token of an identity provider). Prints it, and what it can do.',
    )
    .option('--subject-token <file>', 'issue for this token instead of the stored login ("-": standard input)')
    .option('--subject-type <type>', 'what it is: id_token, jwt (a workload’s) or access_token (a pass)', 'jwt')
    .action((options: IssueOptions) => issue(options, 'login'));

  narrowingOptions(gatewayOptions(pass.command('narrow')))
    .description('Make a narrower pass from the one in SALLYPORT_PASS. It never gets more than that one has.')
    .action((options: IssueOptions) => issue(options, 'environment'));

  listOptions(jsonOption(gatewayOptions(pass.command('list'))))
    .description('List passes: yours, or everybody’s if you may see them.')
    .action(listPasses);

  listOptions(jsonOption(gatewayOptions(pass.command('tree'))))
    .argument('[grant]', 'only this one and what is below it')
    .description('Show who handed what on to whom.')
    .action((grant: string | undefined, options: ListOptions) => tree(grant, options));

  gatewayOptions(pass.command('revoke'))
    .argument('<grant>', 'a grant id, or a pass')
    .option('--reason <text>', 'for the audit log')
    .description('End a pass and everything below it, live sessions included.')
    .action(revoke);
}

function narrowingOptions(command: Command): Command {
  const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  return jsonOption(command)
    .option('--target <name>', 'only this target (may be given several times)', several)
    .option('--database <name>', 'only this database of the targets', several)
    .option('--role <name>', 'only this upstream role', several)
    .option('--action <action>', 'only this action: select, insert, …, or read, write', several)
    .option('--table <schema.table[:columns]>', 'only this table, or these of its columns', several)
    .option('--details <json>', 'authorization_details in full, instead of the five options above')
    .option('--expires <time>', 'when its rights end, as in 15m', parseDuration)
    .option('--connect-within <time>', 'until when it may open sessions, as in 2m', parseDuration)
    .option('--uses <count>', 'how many statements it may run', parseCount)
    .option('--rows <count>', 'most rows a statement may return', parseCount)
    .option('--total-rows <count>', 'most rows its statements may return in all', parseCount)
    .option('--max-depth <count>', 'how many levels it may hand on', parseCount)
    .option('--no-delegate', 'it may not be handed on')
    .option('--purpose <text>', 'what it is for; recorded with everything it does')
    .option('--source <block>', 'only from these addresses, as in 10.0.0.0/8', several)
    .option('--actor-token <file>', 'for a workload that proves itself with this token ("-": standard input)')
    .option('--as <name>', 'for a helper that you vouch for, by name')
    .option('--kind <kind>', 'what kind of agent it is', 'tool')
    .option('-q, --quiet', 'print the pass and nothing else');
}

async function issue(options: IssueOptions, from: 'login' | 'environment'): Promise<void> {
  const gateway = await findGateway(options);
  const subject = subjectOf(options, from, gateway.reach.url);
  const issued = await exchange(gateway, { ...subject, ...fieldsOf(options) });
  if (options.quiet) return print(issued.pass);
  if (options.json) return printJson(issued.answer);
  print(issued.pass);
  note('');
  note(clean(issued.summary));
  note(`${style.dim('grant  ')} ${issued.grant}`);
  note(`${style.dim('expires')} ${issued.expires} (${relative(issued.expires)})`);
  // Where it may connect for as long as it lives there is nothing to say.
  if (Date.parse(issued.expires) - Date.parse(issued.connectBy) > 2000) {
    note(`${style.dim('connect')} by ${issued.connectBy} (${relative(issued.connectBy)})`);
  }
  note(`${style.dim('end it ')} sallyport pass revoke ${issued.grant}`);
}

function subjectOf(options: IssueOptions, from: 'login' | 'environment', url: string): Record<string, string> {
  if (options.subjectToken !== undefined) {
    return {
      subject_token: readFile(options.subjectToken),
      subject_token_type: `${TOKEN_TYPE}${options.subjectType ?? 'jwt'}`,
    };
  }
  const given = environment('SALLYPORT_PASS');
  const pass = given ?? (from === 'login' ? storedLogin(url)?.pass : undefined);
  if (pass === undefined) {
    throw from === 'environment'
      ? new Failure('SALLYPORT_PASS is not set', { hint: 'Put the pass to narrow there.' })
      : new Failure('you are not logged in', { hint: 'sallyport login, or --subject-token FILE' });
  }
  return { subject_token: pass, subject_token_type: `${TOKEN_TYPE}access_token` };
}

function fieldsOf(options: IssueOptions): Record<string, string> {
  const details = options.details ?? detailsOf(options);
  const fields: Record<string, string | number | undefined> = {
    authorization_details: details,
    expires_in: options.expires,
    connect_within: options.connectWithin,
    uses: options.uses,
    rows: options.rows,
    total_rows: options.totalRows,
    max_depth: options.maxDepth,
    // "--no-delegate" sets it to false; without it nothing is said and the gateway's default holds.
    delegable: options.delegate === false ? 'false' : undefined,
    purpose: options.purpose,
    sources: options.source?.join(' '),
    ...actorOf(options),
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

function actorOf({ actorToken, as, kind }: IssueOptions): Record<string, string> {
  if (actorToken !== undefined && as !== undefined)
    throw new Failure('--actor-token and --as exclude each other', { exit: 2 });
  if (actorToken !== undefined) return { actor_token: readFile(actorToken), actor_token_type: `${TOKEN_TYPE}jwt` };
  return as === undefined ? {} : { actor: JSON.stringify({ name: as, kind: kind ?? 'tool' }) };
}

/** RFC 9396: one scope for each target, alike but for its name. */
function detailsOf({ target, database, role, action, table }: IssueOptions): string | undefined {
  if (target === undefined) {
    if (database || role || action || table) throw new Failure('say which target: --target NAME', { exit: 2 });
    return undefined;
  }
  const scopes = target.map((name) => ({
    type: 'sallyport',
    target: name,
    ...(database ? { databases: database } : {}),
    ...(role ? { roles: role } : {}),
    ...(action ? { actions: action } : {}),
    ...(table ? { tables: Object.fromEntries(table.map(tableOf)) } : {}),
  }));
  return JSON.stringify(scopes);
}

function tableOf(text: string): [string, '*' | string[]] {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (!/^[^.]+\.[^.]+$/.test(name))
    throw new Failure(`${text}: write schema.table or schema.table:column,column`, { exit: 2 });
  return [name, colon < 0 ? '*' : text.slice(colon + 1).split(',')];
}

function readFile(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').trim();
  } catch {
    throw new Failure(`${path === '-' ? 'standard input' : path} cannot be read`);
  }
}

interface ListOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly under?: string;
}

function listOptions(command: Command): Command {
  return command.option('-a, --all', 'expired and revoked ones too');
}

async function grants(options: ListOptions): Promise<JsonObject[]> {
  const query = new URLSearchParams({ limit: '1000', all: String(options.all === true) });
  if (options.under !== undefined) query.set('under', idOf(options.under, 'grant'));
  return list(object(await (await findGateway(options)).get(`/v1/grants?${query.toString()}`))['grants']).map(object);
}

async function listPasses(options: ListOptions): Promise<void> {
  const found = await grants(options);
  if (options.json) return printJson(found);
  if (found.length === 0) return note('There are no passes.');
  const rows = found.map((grant) => [
    text(grant['id']),
    text(object(grant['principal'])['name']),
    text(object(grant['agent'])['name']) ||
      (text(object(grant['principal'])['kind']) === 'workload' ? '(itself)' : '(in person)'),
    grant['revoked'] ? 'revoked' : relative(text(grant['expires'])),
    text(grant['uses_left']),
    text(grant['purpose']),
  ]);
  print(plainTable(['GRANT', 'PRINCIPAL', 'AGENT', 'EXPIRES', 'USES LEFT', 'PURPOSE'], rows));
}

async function tree(grant: string | undefined, options: ListOptions): Promise<void> {
  const found = await grants(grant === undefined ? options : { ...options, under: grant });
  if (options.json) return printJson(found);
  if (found.length === 0) return note('There are no passes.');
  print(grantTree(found).join('\n'));
}

async function revoke(grant: string, options: GatewayOptions & { reason?: string }): Promise<void> {
  const gateway = await findGateway(options);
  if (isPass(grant)) await gateway.form('/oauth/revoke', { token: grant });
  else
    await gateway.post(
      `/v1/grants/${idOf(grant, 'grant')}/revoke`,
      options.reason === undefined ? {} : { reason: options.reason },
    );
  note(`Revoked, with everything below it.`);
}
