import type { EventEmitter } from 'node:events';
import type pg from 'pg';
import type { Everyday } from './everyday.ts';

/** Everything a client is told of one statement, as text. */
export interface Answer {
  readonly fields: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly tag: string;
  readonly copied: string;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

const TEXT = { getTypeParser: () => (value: string) => value };

export async function ask(
  client: pg.Client,
  { text, values }: Everyday,
  queryMode: 'simple' | 'extended',
): Promise<Answer> {
  const { connection } = client as unknown as { connection: EventEmitter };
  let tag = '';
  const copied: Buffer[] = [];
  const complete = (message: { text: string }) => {
    tag = message.text;
  };
  const data = ({ chunk }: { chunk: Buffer }) => {
    copied.push(Buffer.from(chunk));
  };
  connection.on('commandComplete', complete).on('copyData', data);
  try {
    const query = {
      text,
      rowMode: 'array',
      types: TEXT,
      queryMode,
      ...(values.length === 0 ? {} : { values: [...values] }),
    };
    const { fields, rows } = await client.query(query as unknown as pg.QueryArrayConfig);
    return {
      fields: (fields ?? []).map(
        (field) =>
          `${field.name}|${field.dataTypeID} ${field.dataTypeModifier} ${field.dataTypeSize} ${field.tableID}.${field.columnID} ${field.format}`,
      ),
      rows: (rows ?? []) as (string | null)[][],
      tag,
      copied: Buffer.concat(copied).toString(),
      code: undefined,
      message: undefined,
    };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { fields: [], rows: [], tag: '', copied: '', code, message };
  } finally {
    connection.off('commandComplete', complete).off('copyData', data);
  }
}

/** What would tell a labelled or detected value of the shop. */
export const RAW: RegExp = /customer\d+@mail|\+1 202 555 \d{4}|\d{3}-\d{2}-\d{4}|4111 1111|private\d+@home/i;

const IMAGES: Readonly<Record<string, RegExp>> = {
  email: /^[Cc]\*\*\*@mail\.example$/i,
  ssn: /^\[redacted\] ?$/,
  phone: /\*/,
  born: /^\d{4}-01-01$/,
  api_key: /^null$/,
};

/**
 * Without the cells of masked columns and of those that differ each time, and what of them is no image. A column that
 * the gateway computes a mask for has no table to come from.
 */
export function unmasked(answer: Answer, { masked, differs }: Everyday): { answer: Answer; wrong: string[] } {
  const names = answer.fields.map((field) => field.slice(0, field.lastIndexOf('|')));
  const kinds = names.map((name) => masked.get(name) ?? masked.get('*'));
  const wrong: string[] = [];
  const fields = answer.fields.map((field, i) => {
    // A whole row becomes a record.
    if (kinds[i] === 'row') return names[i] ?? '';
    return kinds[i] === undefined ? field : field.replace(/ \d+\.\d+ /, ' ');
  });
  const rows = answer.rows.map((row) =>
    row.map((cell, i) => {
      const kind = kinds[i];
      if (differs.includes(names[i] ?? '')) return '(differs)';
      if (kind === undefined || (cell === null && kind !== 'api_key')) return cell;
      if (cell !== null && (RAW.test(cell) || IMAGES[kind]?.test(cell) === false)) wrong.push(`${names[i]}: ${cell}`);
      return '(masked)';
    }),
  );
  if (!masked.has('copy')) return { answer: { ...answer, fields, rows }, wrong };
  if (RAW.test(answer.copied)) wrong.push(answer.copied);
  return { answer: { ...answer, fields, rows, copied: answer.copied.replaceAll(CELL, '(masked)') }, wrong };
}

/** An address, a telephone number or an image of them, as COPY writes it. */
const CELL = /[^\n,\t]*@[^\n,\t]*|\+1 202 [^\n,\t]*|\*[^\n,\t]*/g;

/** Rows in an order of their own, where the statement does not say one. */
export function comparable(answer: Answer, { text, unordered }: Everyday): Omit<Answer, 'message'> {
  const { fields, rows, tag, copied, code } = answer;
  if (!unordered && /order\s+by|explain/i.test(text)) return { fields, rows, tag, copied, code };
  return { fields, tag, copied, code, rows: rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}
