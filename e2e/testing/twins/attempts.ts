import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../../fixtures/bypass');

export interface Attempt {
  readonly file: string;
  readonly heading: string;
  /** Statements, run in order on one session. */
  readonly lines: readonly string[];
  /** The lines as one text, unique among all attempts. */
  readonly name: string;
}

/** With this line a file has one attempt a line, not one a block. */
const EACH_LINE = '# each line an attempt';

export function attemptsOf(text: string, file: string): Attempt[] {
  const single = text.split('\n').includes(EACH_LINE);
  const attempts: Attempt[] = [];
  let heading = '';
  let block: string[] = [];
  const close = () => {
    if (block.length > 0) attempts.push({ file, heading, lines: block, name: block.join(' ⏎ ') });
    block = [];
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) {
      if (line !== EACH_LINE) heading = line.slice(2);
    } else if (line !== '') block.push(line);
    if (line === '' || single) close();
  }
  close();
  return attempts;
}

/** The attempts of one file. */
export function attemptsIn(file: string): Attempt[] {
  return attemptsOf(readFileSync(join(FOLDER, file), 'utf8'), file);
}

/** Files of attempts at the twins: all but those of the shop. */
export function twinFiles(): string[] {
  return readdirSync(FOLDER).filter((file) => file.endsWith('.sql') && file !== 'postgres.sql');
}
