import type { Command } from 'commander';
import { asPerson } from '../as-person.ts';
import type { GatewayClient } from '../client.ts';
import { parseCount } from '../duration.ts';
import { Failure } from '../failure.ts';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { idOf } from '../id.ts';
import { type JsonObject, list, object, text } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { note, plainTable, print, printJson, relative } from '../output.ts';
import { describeRequest, oneLine } from '../request.ts';

interface ListOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly review?: boolean;
  readonly limit: number;
}

interface AnswerOptions extends GatewayOptions {
  readonly reason?: string;
  readonly scope?: string;
  readonly breakGlass?: boolean;
}

export function addApprovals(program: Command): void {
  const approvals = program
    .command('approvals')
    .description('Answer what is held, and see what was asked.')
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport approvals                              what waits, and for whom
  $ sallyport approvals show REQUEST                 who asks, what exactly would run
  $ sallyport approvals approve REQUEST
  $ sallyport approvals deny REQUEST --reason "not in working hours"
  $ sallyport approvals watch                        as they come

Answers are given by people with a login of their own ("sallyport login"), never by agents, and never by whoever asks.
`,
    );

  jsonOption(gatewayOptions(approvals.command('list', { isDefault: true })))
    .description('List requests that wait.')
    .option('-a, --all', 'settled ones too')
    .option('--review', 'only those where glass was broken and nobody has looked since')
    .option('--limit <count>', 'at most so many, newest first', parseCount, 100)
    .action(listRequests);

  jsonOption(gatewayOptions(approvals.command('show')))
    .argument('<request>', 'its id')
    .description('Show one request: the chain, the statement, whom it waits for.')
    .action(show);

  answering(approvals, 'approve', 'Approve exactly this, once, unless --scope says otherwise.')
    .option(
      '--scope <scope>',
      'once, session, fingerprint (statements that differ in literals only) or window (all it holds, until it expires), where the rule allows it',
    )
    .option('--break-glass', 'alone, where the rule names you; loud, and reviewed after')
    .action(async (request: string, options: AnswerOptions) => {
      const verdict = options.breakGlass === true ? 'break-glass' : 'approve';
      await answer(request, { verdict, ...(options.scope === undefined ? {} : { scope: options.scope }) }, options);
    });
  answering(approvals, 'deny', 'Deny it.').action((request: string, options: AnswerOptions) =>
    answer(request, { verdict: 'deny' }, options),
  );

  gatewayOptions(approvals.command('withdraw'))
    .argument('<request>', 'its id')
    .description('Take back what you or your agents asked for.')
    .action(async (request: string, options: GatewayOptions) => {
      await (await asPerson(options)).post(`/v1/approvals/${idOf(request, 'request')}/withdraw`, {});
      note('Withdrawn.');
    });

  gatewayOptions(approvals.command('review'))
    .argument('<request>', 'its id')
    .option('--note <text>', 'for the audit log')
    .description('Say that you have looked at what was done when glass was broken.')
    .action(async (request: string, options: GatewayOptions & { note?: string }) => {
      const body = options.note === undefined ? {} : { note: options.note };
      await (await asPerson(options)).post(`/v1/approvals/${idOf(request, 'request')}/review`, body);
      note('Reviewed.');
    });

  jsonOption(gatewayOptions(approvals.command('watch')))
    .description('Show requests as they come, until stopped.')
    .action(watch);
}

function answering(approvals: Command, name: 'approve' | 'deny', about: string): Command {
  return gatewayOptions(approvals.command(name))
    .argument('<request>', 'its id')
    .option('--reason <text>', 'whoever asked is told')
    .description(about);
}

async function listRequests(options: ListOptions): Promise<void> {
  const query = new URLSearchParams({ limit: String(options.limit), state: options.all === true ? 'all' : 'waiting' });
  if (options.review === true) query.set('review', 'due');
  const answered = object(await (await listening(options)).get(`/v1/approvals?${query.toString()}`));
  const found = list(answered['requests']).map(object);
  if (options.json) return printJson(found);
  if (found.length === 0)
    return note(options.all ? 'There are no requests.' : 'Nothing waits. (--all shows settled ones.)');
  const rows = found.map((request) => {
    const effect = object(request['effect']);
    return [
      text(request['id']),
      text(request['state']),
      relative(text(request['created_at'])),
      text(object(request['asked_by'])['chain']),
      text(effect['target']),
      oneLine(text(effect['statement']), 60),
    ];
  });
  print(plainTable(['REQUEST', 'STATE', 'ASKED', 'BY', 'TARGET', 'STATEMENT'], rows));
}

async function show(request: string, options: GatewayOptions & { json?: boolean }): Promise<void> {
  const found = object(await (await listening(options)).get(`/v1/approvals/${idOf(request, 'request')}`));
  if (options.json) return printJson(found);
  print(describeRequest(found));
}

async function answer(request: string, said: JsonObject, options: AnswerOptions): Promise<void> {
  const body = options.reason === undefined ? said : { ...said, reason: options.reason };
  const gateway = await asPerson(options);
  const after = object(await gateway.post(`/v1/approvals/${idOf(request, 'request')}/answers`, body));
  const state = text(after['state']);
  if (state === 'waiting') return note('Your answer counts; it still waits for others.');
  note(state === 'approved' ? 'Approved.' : 'Denied.');
}

async function watch(options: GatewayOptions & { json?: boolean }): Promise<void> {
  const gateway = await listening(options);
  const seen = new Map<string, string>();
  let mark = '';
  note('Waiting for requests; stop with Ctrl-C.');
  for (;;) {
    const query = new URLSearchParams({
      wait: '50s',
      state: 'all',
      limit: '100',
      ...(mark === '' ? {} : { after: mark }),
    });
    const answered = object(await gateway.get(`/v1/approvals?${query.toString()}`));
    const isFirst = mark === '';
    mark = text(answered['mark']);
    for (const request of list(answered['requests']).map(object).toReversed()) {
      const id = text(request['id']);
      const state = text(request['state']);
      if (seen.get(id) === state) continue;
      seen.set(id, state);
      if (isFirst && state !== 'waiting') continue;
      if (options.json) print(JSON.stringify(request));
      else print(state === 'waiting' ? `${describeRequest(request)}\n` : `${id} is ${state}.`);
    }
    if (mark === '') throw new Failure('the gateway does not say what has changed');
  }
}

/** As a person where one is logged in, else as whoever this is: the local administrator may look. */
async function listening(options: GatewayOptions): Promise<GatewayClient> {
  const gateway = await findGateway(options);
  return gateway.reach.pass === undefined ? await asPerson(options, gateway) : gateway;
}
