import Table from 'cli-table3';
import colours from 'picocolors';

// The one place that knows how things look on a terminal.

/**
 * Makes text from elsewhere safe to show: what could move the cursor, change colours, retitle the window or reorder
 * the line is spelled out instead. Recorded rows and client names come from whoever wanted them recorded.
 */
export function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]/g, spell);
}

/** The same with line breaks and tabs left in. */
export function cleanLines(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => clean(line.replaceAll('\t', '    ')))
    .join('\n');
}

function spell(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export const style: Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', (text: string) => string>> =
  colours;

/** Result on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Everything that is about the result, on stderr: so that stdout can be piped. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Rows under a heading, without lines: to be read, cut and grepped. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  };
  const table = new Table({
    chars: none,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  table.push(
    head.map((name) => style.dim(name)),
    ...rows.map((row) => row.map(clean)),
  );
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A result as a database client shows it. */
export function boxTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // The library colours by itself, terminal or not: it is told not to.
  const table = new Table({
    head: head.map((name) => style.bold(clean(name))),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** `2 h 5 min`, `40 s`: the two largest units. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const units: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** How long until, or since, a time as the API writes it. */
export function relative(iso: string, now: number = Date.now()): string {
  const distance = Date.parse(iso) - now;
  if (Number.isNaN(distance)) return iso;
  return distance >= 0 ? `in ${span(distance)}` : `${span(-distance)} ago`;
}
