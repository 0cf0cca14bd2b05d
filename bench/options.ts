import { parseArgs } from 'node:util';

export interface Options {
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Rows of the large result. */
  readonly rows: number;
  /** Only cases whose name begins with one of these; empty: all. */
  readonly only: readonly string[];
  /** Fewer cases, short: about two minutes in all. */
  readonly quick: boolean;
  readonly save: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [options]

  --quick           about two minutes in all: fewer cases, two rounds of one second
  --rounds N        rounds of each case (5; quick: 2)
  --seconds N       length of one measurement (5; quick: 1)
  --rows N          rows of the large result (300000; quick: 50000)
  --only NAME       only cases whose name begins with NAME; may be given again
  --save            write the report into bench/results/
  --list            name the cases and stop
`;

const MOST_ROWS = 5_000_000;

/** Throws an Error with a sentence for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      rows: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const { quick, save, list, help, only } = values;
  return {
    rounds: whole('rounds', values.rounds, quick ? 2 : 5, [1, 100]),
    seconds: whole('seconds', values.seconds, quick ? 1 : 5, [1, 600]),
    rows: whole('rows', values.rows, quick ? 50_000 : 300_000, [1_000, MOST_ROWS]),
    only,
    quick,
    save,
    list,
    help,
  };
}

function whole(
  name: string,
  text: string | undefined,
  usual: number,
  [least, most]: readonly [number, number],
): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`--${name} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
  }
  return value;
}
