import { readdirSync, readFileSync } from 'node:fs';

/** What clients and people send every day: `fixtures/everyday/*.sql`, described in its README. */
export interface Everyday {
  readonly source: string;
  readonly text: string;
  /** Texts to bind to $1, $2, …; null binds NULL. */
  readonly values: readonly (string | null)[];
  /** Result columns in which images are shown: kind by name. `*`: every column. */
  readonly masked: ReadonlyMap<string, string>;
  /** SQLSTATE with which the gateway refuses it today. */
  readonly refused: string | undefined;
  /** Result columns that are another each time, such as a time of day. */
  readonly differs: readonly string[];
  /** Its ORDER BY leaves ties. */
  readonly unordered: boolean;
}

export interface Theme {
  readonly name: string;
  readonly statements: readonly Everyday[];
}

const FOLDER = new URL('../../fixtures/everyday/', import.meta.url);

export function everyday(): Theme[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .map((file) => ({ name: file.slice(0, -4), statements: parse(file, readFileSync(new URL(file, FOLDER), 'utf8')) }));
}

function parse(file: string, text: string): Everyday[] {
  const found: Everyday[] = [];
  let source = '';
  for (const block of text.split(/\n(?:[ \t]*\n)+/)) {
    const lines = block.split('\n');
    while (lines[0]?.startsWith('#')) source = (lines.shift() ?? '').replace(/^#+ */, '');
    const one = statement(source, lines);
    if (one.text === '') continue;
    if (source === '') throw new Error(`${file}: a statement without a source: ${one.text}`);
    found.push(one);
  }
  return found;
}

function statement(source: string, lines: readonly string[]): Everyday {
  const values: (string | null)[] = [];
  const masked = new Map<string, string>();
  let refused: string | undefined;
  let differs: string[] = [];
  let unordered = false;
  const rest: string[] = [];
  for (const line of lines) {
    const [, key = '', value = ''] = /^-- (\$\d+ =|masked:|refused:|differs:|unordered) ?(.*)$/.exec(line) ?? [];
    if (key.startsWith('$')) values[Number(key.slice(1, -2)) - 1] = value === 'NULL' ? null : value;
    else if (key === 'refused:') refused = value.slice(0, 5);
    else if (key === 'differs:') differs = value.split(',').map((name) => name.trim());
    else if (key === 'unordered') unordered = true;
    else if (key === 'masked:') {
      for (const item of value.split(',')) {
        const [name = '', kind = name] = item.trim().split('=');
        masked.set(name, kind);
      }
    } else rest.push(line);
  }
  return { source, text: rest.join('\n').trim(), values, masked, refused, differs, unordered };
}
