import { cleanLines, print, style } from '../output.ts';

// How the story looks: numbered chapters, what is said, and what programs really printed, on at most 80 columns.

const WIDTH = 80;
const MARGIN = '    ';
const ROOM = WIDTH - MARGIN.length - 2;

export function title(text: string, under: string): void {
  print('');
  print(`${MARGIN}${style.bold(text)}`);
  say(under);
}

export function chapter(number: number, text: string): void {
  print('');
  print(`${style.cyan(String(number).padStart(2))}  ${style.bold(text)}`);
}

/** The narrator. */
export function say(text: string): void {
  for (const line of wrap(text.replaceAll(/\s+/g, ' ').trim(), WIDTH - MARGIN.length)) print(`${MARGIN}${line}`);
}

/** What was typed somewhere. */
export function typed(prompt: string, text: string): void {
  print('');
  for (const [index, line] of wrap(text, WIDTH - MARGIN.length - prompt.length - 1).entries()) {
    print(`${MARGIN}${index === 0 ? style.dim(prompt) : ' '.repeat(prompt.length)} ${style.cyan(line)}`);
  }
}

/** What a program printed, unchanged but for long lines, which are folded. */
export function shown(output: string): void {
  for (const line of cleanLines(output).trimEnd().split('\n')) {
    for (const part of wrap(line.trimEnd(), ROOM, '  ')) print(`${MARGIN}${style.dim('│')} ${part}`.trimEnd());
  }
}

export function confirmed(text: string): void {
  for (const [index, line] of wrap(text, WIDTH - MARGIN.length - 3).entries()) {
    print(`${MARGIN}${index === 0 ? style.green('ok') : '  '} ${line}`);
  }
}

export function contradicted(text: string): void {
  print(`${MARGIN}${style.red('not so:')} ${text}`);
}

/** At spaces where there are any, else wherever the line is full. */
export function wrap(text: string, width: number, indent: string = ''): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const cut = space > indent.length ? space : width;
    lines.push(rest.slice(0, cut));
    rest = `${indent}${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}
