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
          `${field.name} ${field.dataTypeID} ${field.dataTypeModifier} ${field.dataTypeSize} ${field.tableID}.${field.columnID} ${field.format}`,
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
export const RAW = /customer\d+@mail|\+1 202 555 \d{4}|\d{3}-\d{2}-\d{4}|4111 1111|private\d+@home/i;

const IMAGES: Readonly<Record<string, RegExp>> = {
  email: /^[Cc]\*\*\*@mail\.example$/i,
  ssn: /^\[redacted\] ?$/,
  phone: /^[^\d]*\**[^\d]*\d{0,4}$/,
  born: /^\d{4}-01-01$/,
  api_key: /^$/,
};

/** Cells of masked columns taken out, and what of them is no image. */
export function unmasked(answer: Answer, { masked }: Everyday): { answer: Answer; wrong: string[] } {
  const names = answer.fields.map((field) => field.split(' ')[0] ?? '');
  const kinds = names.map((name) => masked.get(name) ?? masked.get('*'));
  const wrong: string[] = [];
  const rows = answer.rows.map((row) =>
    row.map((cell, i) => {
      const kind = kinds[i];
      if (kind === undefined || cell === null) return cell;
      if (RAW.test(cell) || IMAGES[kind]?.test(cell) === false) wrong.push(`${names[i]}: ${cell}`);
      return '(masked)';
    }),
  );
  if (masked.has('copy')) {
    if (RAW.test(answer.copied)) wrong.push('copy');
    return {
      answer: { ...answer, rows, copied: answer.copied.replaceAll(/[^\n,\t]*[*@][^\n,\t]*/g, '(masked)') },
      wrong,
    };
  }
  return { answer: { ...answer, rows }, wrong };
}

/** Rows in an order of their own, where the statement does not say one. */
export function comparable(answer: Answer, { text }: Everyday): Omit<Answer, 'message'> {
  const { fields, rows, tag, copied, code } = answer;
  if (/order\s+by|explain/i.test(text)) return { fields, rows, tag, copied, code };
  return { fields, tag, copied, code, rows: rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}
