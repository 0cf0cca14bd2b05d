import { type JsonObject, list, number, object, text, texts } from './json.ts';
import { clean, cleanLines, relative, style } from './output.ts';

/** One request for approval, as an approver needs to see it. */
export function describeRequest(request: JsonObject): string {
  const by = object(request['asked_by']);
  const effect = object(request['effect']);
  const id = text(request['id']);
  const place = `${text(effect['target'])}, database ${text(effect['database'])}, as ${text(effect['role'])}`;
  const lines: [string, string][] = [
    ['request', `${id}  ${style.dim(`(${text(request['state'])}, asked ${relative(text(request['created_at']))})`)}`],
    ['by', clean(text(by['chain']))],
    ['purpose', clean(texts(by['purpose']).join('; '))],
    ['where', clean(place)],
    ['why', clean(text(effect['message']))],
    ['touches', clean(texts(effect['resources']).join(', '))],
    ['estimate', rowsOf(effect)],
    ['labels', clean(texts(effect['labels']).join(', '))],
    ['parameters', clean(texts(effect['parameters']).join(', '))],
    ['asks', clean(list(request['rules']).map(object).map(whom).join('; '))],
    ['expires', relative(text(request['expires_at']))],
  ];
  const told = lines
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${style.dim(name.padEnd(10))} ${value}`);
  const statement = cleanLines(text(effect['statement']))
    .split('\n')
    .map((line) => `    ${line}`);
  return [...told, '', ...statement, ...answersOf(request), ...nextOf(request)].join('\n');
}

/** The first line of a statement, cut. */
export function oneLine(statement: string, most: number): string {
  const flat = statement.replaceAll(/\s+/g, ' ').trim();
  return flat.length <= most ? flat : `${flat.slice(0, most - 1)}…`;
}

function rowsOf(effect: JsonObject): string {
  const rows = number(effect['estimated_rows']);
  return rows === undefined
    ? ''
    : `about ${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}, the target’s planner thinks`;
}

function whom(rule: JsonObject): string {
  const steps = list(rule['steps'])
    .map(object)
    .map((step) => {
      const need = text(step['need']);
      const boss = step['manager'] === true ? ['their manager'] : [];
      const names = [...texts(step['groups']), ...texts(step['people']), ...boss].join(', ');
      return need === '1' || need === '' ? `one of ${names}` : `${need} of ${names}`;
    });
  const confirming = rule['confirm'] === 'delegator' ? ['the person it is done for'] : [];
  return `${text(rule['name'])} (${[...steps, ...confirming].join(', and ')})`;
}

const DONE: Readonly<Record<string, string>> = {
  approve: 'approved',
  deny: 'denied',
  'break-glass': 'approved alone, breaking glass,',
};

function answersOf(request: JsonObject): string[] {
  const answers = list(request['answers']).map(object);
  if (answers.length === 0) return [];
  const lines = answers.map((answer) => {
    const reason = text(answer['reason']);
    const who = text(object(answer['by'])['name']);
    return `${style.dim('answer'.padEnd(10))} ${clean(`${DONE[text(answer['verdict'])] ?? 'answered'} by ${who}${reason === '' ? '' : `: ${reason}`}`)}`;
  });
  return ['', ...lines];
}

function nextOf(request: JsonObject): string[] {
  const may = texts(request['you_may']);
  const id = text(request['id']);
  if (may.includes('approve')) {
    return ['', `sallyport approvals approve ${id}`, `sallyport approvals deny ${id} --reason "…"`];
  }
  if (may.includes('break-glass')) return ['', `sallyport approvals approve ${id} --break-glass --reason "…"`];
  return [];
}
