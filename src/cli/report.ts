import { counted, type JsonObject, list, number, object, text, texts } from './json.ts';
import { clean, plainTable, style } from './output.ts';

// How the report of a target is told to people.

/** Lines of a table, and of the statements of one group, before "and n more". */
const SHOWN = 10;

export function reportText(report: JsonObject): string {
  return [
    headline(report),
    ...section('Who', whoTable(list(report['who']).map(object))),
    ...list(report['groups']).map(object).slice(0, MOST_GROUPS).map(groupText),
    ...section('Labelled columns that were used', columnTable(list(report['labelled']).map(object))),
    ...section('Detectors found', findTable(list(report['found']).map(object))),
    ...leftOut(report),
    ...past(report),
    verdict(report),
  ].join('\n\n');
}

const MOST_GROUPS = 50;

function headline(report: JsonObject): string {
  const { cleared, denied, held, would_deny: deny, would_hold: hold, failed } = object(report['operations']);
  const sessions = object(report['sessions']);
  const lines = [
    `${style.bold(clean(text(report['target'])))} (${text(report['mode'])}), ${text(report['since'])} to ${text(report['until'])}`,
    `${text(sessions['started'])} sessions started, ${text(sessions['refused'])} refused`,
    `${text(cleared)} operations ran (${text(failed)} with an error), ${text(denied)} were denied, ${text(held)} held`,
  ];
  if (text(report['mode']) === 'observe' || Number(deny) + Number(hold) > 0)
    lines.push(`of those that ran, enforcing had denied ${text(deny)} and held ${text(hold)}`);
  return lines.join('\n');
}

function section(title: string, table: string | undefined): string[] {
  return table === undefined ? [] : [`${style.bold(title)}\n${table}`];
}

function whoTable(who: readonly JsonObject[]): string | undefined {
  const rows = who.map((one) => [
    text(one['chain']),
    text(one['operations']),
    text(one['stopped']),
    text(one['first']),
    text(one['last']),
  ]);
  return table(['CHAIN', 'OPERATIONS', 'STOPPED', 'FIRST', 'LAST'], rows);
}

function columnTable(columns: readonly JsonObject[]): string | undefined {
  const rows = columns.map((one) => [
    text(one['column']),
    text(one['label']),
    Object.entries(object(one['uses']))
      .map(([use, count]) => `${use} ${text(count)}`)
      .join(', '),
    text(one['masked']),
    text(one['last']),
  ]);
  return table(['COLUMN', 'LABEL', 'USED', 'MASKED', 'LAST'], rows);
}

function findTable(found: readonly JsonObject[]): string | undefined {
  const rows = found.map((one) => [text(one['detector']), text(one['values']), text(one['last'])]);
  return table(['DETECTOR', 'VALUES', 'LAST'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string | undefined {
  if (rows.length === 0) return undefined;
  const more = rows.length > SHOWN ? `\n${style.dim(`and ${rows.length - SHOWN} more (--json has them)`)}` : '';
  return plainTable(head, rows.slice(0, SHOWN)) + more;
}

function groupText(group: JsonObject): string {
  const statements = list(group['statements']).map(object);
  const shown = statements.slice(0, SHOWN).flatMap((statement) => statementLines(statement, group));
  const more =
    statements.length > SHOWN ? [style.dim(`  and ${statements.length - SHOWN} more (--json has them)`)] : [];
  return [groupTitle(group), ...shown, ...more].join('\n');
}

function groupTitle(group: JsonObject): string {
  const effect = text(group['effect']) === 'hold' ? 'held' : 'denied';
  const would = group['enforced'] === true ? `Was ${effect}` : `Would have been ${effect}`;
  const by = texts(group['policies']);
  const whose = by.length > 0 ? ` by ${by.join(', ')}` : '';
  const reason = text(group['reason']) === '' ? '' : ` (${text(group['reason'])})`;
  return `${style.bold(clean(`${would}${whose}${reason}`))}: ${counted(group['operations'], 'operation')}`;
}

function statementLines(statement: JsonObject, group: JsonObject): string[] {
  const count = number(statement['operations']) ?? 0;
  const who = texts(statement['who']).join('; ');
  const lines = [
    `  ${clean(text(statement['statement']) || '(could not be read)')}`,
    style.dim(`    ${counted(count, 'time')}, last ${text(statement['last'])}, by ${clean(who)}`),
  ];
  if (text(statement['message']) !== '') lines.push(`    why   ${clean(text(statement['message']))}`);
  return [...lines, ...nextSteps(statement, group).map((step) => `    next  ${clean(step)}`)];
}

/** What would let it run: the policy line, the rule that is asked, or why no line would. */
function nextSteps(statement: JsonObject, group: JsonObject): readonly string[] {
  const rules = texts(group['rules']);
  if (rules.length > 0) return [`asks ${rules.join(' and ')}: see that somebody there answers`];
  const needs = texts(statement['needs']);
  if (needs.length > 0) return needs;
  if (text(group['reason']) === 'forbidden')
    return ['a guardrail: no permit lifts it; change the statement or the policy'];
  return ['sallyport explain "<statement>" says what is missing'];
}

function leftOut(report: JsonObject): string[] {
  const left = Object.entries(object(report['left_out'])).filter(([, count]) => Number(count) > 0);
  if (left.length === 0) return [];
  const words = left.map(([what, count]) => `${text(count)} operations in ${what}`).join(', ');
  return [style.yellow(`There was more than a report holds. Counted above, but not listed: ${words}.`)];
}

function past(report: JsonObject): string[] {
  const sessions = object(report['bypass'])['sessions'];
  if (text(sessions) === '' || text(sessions) === '0') return [];
  const who = `sallyport targets test ${clean(text(report['target']))}`;
  return [
    style.yellow(`Past the gateway at this moment, and in none of this: ${counted(sessions, 'session')} (${who}).`),
  ];
}

function verdict(report: JsonObject): string {
  const said = object(report['verdict']);
  const ready = said['ready'] === true;
  return `${style.bold('Ready to enforce?')} ${(ready ? style.green : style.yellow)(clean(text(said['message'])))}`;
}
