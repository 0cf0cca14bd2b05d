import { type JsonObject, list, number, object, text, texts } from '../json.ts';
import { boxTable, clean, cleanLines, style } from '../output.ts';
import { ResultReader, type ShownResult } from './result.ts';

/** Rows shown of one result; a replay is read by people. */
const MOST_ROWS = 100;

/**
 * Turns entries of a recording, in their order, into lines for a terminal: what was asked, what was decided, what the
 * client was shown, and how it ended. Operations of a pipeline overlap, so frames are kept by operation until it is
 * done.
 */
export class Player {
  readonly #results = new Map<number, ResultReader>();
  /** Operations that were held: what became of them comes as a second entry. */
  readonly #held = new Set<number>();

  play(entry: JsonObject): string[] {
    const sequence = number(entry['sequence']) ?? 0;
    const body = object(entry['body']);
    switch (text(entry['kind'])) {
      case 'open':
        return opened(body);
      case 'asked':
        return [...this.#statement(sequence, body), ...asked(body)];
      case 'refused':
        return [...this.#statement(sequence, body), refused(body)];
      case 'frames':
        this.#frames(sequence, text(entry['frames']));
        return [];
      case 'done':
        return this.#done(sequence, body);
      case 'close':
        return [
          ...this.end(),
          '',
          style.dim(
            `closed: ${clean(text(body['cause']))}, ${text(body['operations'])} operations, ${text(body['denied'])} denied`,
          ),
        ];
      default:
        return [];
    }
  }

  /** What was still open when the recording ended. */
  end(): string[] {
    const open = [...this.#results.keys()];
    return open.flatMap((sequence) => [
      ...this.#shown(sequence),
      style.yellow(`(${sequence}) was not done when the recording ended`),
    ]);
  }

  #statement(sequence: number, body: JsonObject): string[] {
    if (this.#held.delete(sequence)) return [];
    if (text(body['decision']) === 'hold') this.#held.add(sequence);
    return statement(sequence, body);
  }

  #frames(sequence: number, base64: string): void {
    const reader = this.#results.get(sequence) ?? new ResultReader();
    this.#results.set(sequence, reader);
    reader.push(new Uint8Array(Buffer.from(base64, 'base64')));
  }

  #done(sequence: number, body: JsonObject): string[] {
    const error = text(body['error']);
    const outcome = error === '' ? style.green(clean(text(body['tag']) || 'done')) : style.red(`ERROR ${clean(error)}`);
    const rows = `${text(body['rows'])} ${body['rows'] === 1 ? 'row' : 'rows'}`;
    const told = `${outcome}  ${style.dim(`${rows}, ${text(body['bytes'])} bytes, ${text(body['ms'])} ms`)}`;
    return [...this.#shown(sequence, number(body['rows'])), told];
  }

  #shown(sequence: number, told?: number): string[] {
    const reader = this.#results.get(sequence);
    this.#results.delete(sequence);
    return reader?.results().flatMap((result) => show(result, told)) ?? [];
  }
}

function opened(body: JsonObject): string[] {
  const agents = list(body['agents']).map(object);
  const purposes = texts(body['purpose']);
  return [
    `${style.bold(clean(text(body['chain'])))} ${style.dim('on')} ${clean(text(body['target']))}/${clean(text(body['database']))} ${style.dim('as')} ${clean(text(body['role']))}`,
    ...agents.map((agent) =>
      style.dim(`  ${clean(text(agent['name']))}: ${clean(text(agent['kind']))}, ${clean(text(agent['assurance']))}`),
    ),
    ...(purposes.length > 0 ? [style.dim(`  for: ${clean(purposes.join('; '))}`)] : []),
  ];
}

function statement(sequence: number, body: JsonObject): string[] {
  const lines = cleanLines(text(body['text'])).split('\n');
  const parameters = list(body['parameters']).map((value, index) => `$${index + 1} = ${parameter(value)}`);
  const mark = style.cyan(`${sequence}>`);
  return [
    '',
    ...lines.map((line, index) =>
      index === 0 ? `${mark} ${line}` : `${' '.repeat(String(sequence).length + 2)}${line}`,
    ),
    ...(parameters.length > 0 ? [style.dim(`   ${clean(parameters.join(', '))}`)] : []),
  ];
}

function parameter(value: unknown): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? JSON.stringify(value) : `binary ${text(object(value)['base64'])}`;
}

function asked(body: JsonObject): string[] {
  const masked = texts(body['masked']);
  const by = clean(deciders(body));
  const request = clean(text(body['request']));
  const approval = clean(text(body['approval']));
  const decided = approval === '' ? style.dim(`permitted${by}`) : style.green(`approved (request ${approval})`);
  const held = style.yellow(`held${by}${request === '' ? '' : `: request ${request}`}`);
  return [
    text(body['decision']) === 'hold' ? held : decided,
    ...(masked.length > 0 ? [style.dim(`masked: ${clean(masked.join(', '))}`)] : []),
  ];
}

function refused(body: JsonObject): string {
  return style.red(`denied${clean(deciders(body))} (${clean(text(body['reason']))}): ${clean(text(body['message']))}`);
}

function deciders(body: JsonObject): string {
  const policies = texts(body['policies']);
  return policies.length > 0 ? ` by ${policies.join(', ')}` : '';
}

function show({ head, rows, copied, problem }: ShownResult, told: number | undefined): string[] {
  const lines: string[] = [];
  if (rows.length > 0 || head.length > 0) {
    const widest = Math.max(head.length, ...rows.slice(0, MOST_ROWS).map((row) => row.length));
    const names = head.length > 0 ? head : Array.from({ length: widest }, (_, index) => `column ${index + 1}`);
    lines.push(...boxTable(names, rows.slice(0, MOST_ROWS)).split('\n'));
  }
  lines.push(...copied.slice(0, MOST_ROWS));
  const kept = Math.max(rows.length, copied.length);
  const shown = Math.min(kept, MOST_ROWS);
  if (shown < kept) lines.push(style.dim(`… ${kept - shown} more rows in the recording (--json has them)`));
  if (told !== undefined && kept < told) lines.push(style.dim(`… ${told - kept} more rows were not recorded`));
  if (problem !== undefined) lines.push(style.yellow(clean(problem)));
  return lines;
}
