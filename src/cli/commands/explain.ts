import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { findGateway, type GatewayOptions } from '../gateway.ts';
import { type JsonObject, list, object, text, texts } from '../json.ts';
import { gatewayOptions, jsonOption } from '../options.ts';
import { clean, cleanLines, plainTable, print, printJson, style } from '../output.ts';

interface ExplainOptions extends GatewayOptions {
  readonly as?: string;
  readonly group?: readonly string[];
  readonly on: string;
  readonly role?: string;
  readonly json?: boolean;
}

export function addExplain(program: Command): void {
  const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  jsonOption(gatewayOptions(program.command('explain')))
    .argument('<sql>', 'a statement ("-": from standard input)')
    .description('Say what would be decided about a statement, and why. Runs nothing.')
    .option('--as <who>', 'a grant id, or a principal’s name or id (default: you)')
    .option('--group <name>', 'assume the principal is in this group, and in no other', several)
    .requiredOption('--on <target>', 'the target, or target.database')
    .option('--role <role>', 'upstream role')
    .addHelpText(
      'after',
      `
Exit code 0: it would be permitted; 3: held for an approval; 4: denied.

Examples:
  $ sallyport explain --on shop "SELECT email FROM customers"
  $ sallyport explain --as alice@example.com --on shop "DELETE FROM orders"
  $ sallyport explain --as carol --group contractors --on shop "TABLE orders"
`,
    )
    .action(explain);
}

const EXIT: Readonly<Record<string, number>> = { permit: 0, hold: 3, deny: 4 };
const COLOUR: Readonly<Record<string, (text: string) => string>> = {
  permit: style.green,
  hold: style.yellow,
  deny: style.red,
};

async function explain(sql: string, options: ExplainOptions): Promise<void> {
  const as = whom(options);
  const asked = sql === '-' ? readFileSync(0, 'utf8') : sql;
  const answer = object(
    await (await findGateway(options)).post('/v1/explain', {
      ...(as ? { as } : {}),
      on: options.on,
      ...(options.role === undefined ? {} : { role: options.role }),
      sql: asked,
    }),
  );
  const decision = object(answer['decision']);
  process.exitCode = EXIT[text(decision['effect'])] ?? 1;
  if (options.json) return printJson(answer);
  print(render(answer, asked).join('\n'));
}

function whom({ as, group }: ExplainOptions): object | undefined {
  if (as === undefined) return undefined;
  if (/^(g\.)?[0-9A-Za-z]{22}$/.test(as) && !group) return { grant: as.replace(/^g\./, '') };
  return { principal: as, ...(group ? { groups: group } : {}) };
}

function render(answer: JsonObject, asked: string): string[] {
  const decision = object(answer['decision']);
  const effect = text(decision['effect']);
  const colour = COLOUR[effect] ?? ((plain: string) => plain);
  const policies = texts(decision['policies']);
  const head = [
    `${style.dim('as')} ${clean(text(answer['as']))}  ${style.dim('on')} ${clean(text(answer['target']))}/${clean(text(answer['database']))}`,
    `${style.bold(colour(effect))}${policies.length > 0 ? ` by ${clean(policies.join(', '))}` : ''}${text(decision['reason']) === '' ? '' : ` (${text(decision['reason'])})`}`,
  ];
  if (text(decision['message']) !== '') head.push(cleanLines(text(decision['message'])));
  if (text(decision['hint']) !== '') head.push(`${style.dim('to permit it:')} ${cleanLines(text(decision['hint']))}`);
  const rules = texts(decision['rules']);
  if (rules.length > 0) head.push(`${style.dim('waits for')} ${clean(rules.join(', '))}`);

  const statements = list(answer['statements']).map(object);
  const what = statements.flatMap((statement, index) => {
    const columns = list(statement['columns']).map(object);
    const rows = columns.map((column) => [
      text(column['column']),
      [text(column['use']), text(column['filter'])].filter((part) => part !== '').join(' '),
      texts(column['labels']).join(', '),
      text(column['mask']) === '' ? '' : `masked: ${text(column['mask'])}`,
    ]);
    const bounded = statement['bounded'] === false ? ', not bounded by a WHERE' : '';
    const computed = list(statement['computed'])
      .map(object)
      .map(
        (one) =>
          `${text(one['name']) || `column ${text(one['position'])}`} is computed from ${texts(one['from']).join(', ')}`,
      );
    const uses = list(statement['uses']).map(
      (use) => `${text(object(use)['action'])} ${text(object(use)['resource'])}`,
    );
    return [
      '',
      `${style.bold(`statement ${index + 1}`)}: ${clean(text(statement['verb']))}${bounded}`,
      ...uses.map((use) => `  ${clean(use)}`),
      ...computed.map((line) => `  ${clean(line)}`),
      ...(rows.length > 0 ? ['', indent(plainTable(['COLUMN', 'USE', 'LABELS', ''], rows))] : []),
    ];
  });

  const sent = text(answer['sent']);
  const rewritten = sent === '' || sent === asked ? [] : ['', style.bold('sent as'), indent(cleanLines(sent))];

  const asks = list(answer['asks']).map(object);
  const identities = [...new Set(asks.map((ask) => text(ask['identity'])))];
  return [
    ...head,
    ...what,
    ...rewritten,
    ...(asks.length > 0
      ? [
          '',
          style.bold('policy was asked'),
          indent(plainTable(['ACTION', 'RESOURCE', ...identities.map(nameOf)], askedRows(asks, identities))),
        ]
      : []),
  ];
}

/** One row for each question, with the answer for each identity of the chain. */
function askedRows(asks: readonly JsonObject[], identities: readonly string[]): string[][] {
  const questions = Map.groupBy(asks, (ask) => JSON.stringify([ask['action'], ask['resource'], ask['labels']]));
  return [...questions.values()].map((answers) => {
    const [first = {}] = answers;
    const cells = identities.map((identity) => {
      const ask = answers.find((one) => text(one['identity']) === identity);
      if (!ask) return '';
      const why = texts(ask['policies']).join(', ') || text(ask['reason']);
      return why === '' ? text(ask['effect']) : `${text(ask['effect'])} (${why})`;
    });
    return [text(first['action']), text(first['resource']), ...cells];
  });
}

/** `User::"https://id.example|alice"` without the issuer, which is the same for most. */
function nameOf(identity: string): string {
  return identity.replace(/^(\w+)::"(?:[^"|]*\|)?(.*)"$/, '$1 $2').toUpperCase();
}

function indent(block: string): string {
  return block
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
