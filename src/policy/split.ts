/** One policy of a file. */
export interface PolicyText {
  readonly text: string;
  /** Index of its first character in the file. */
  readonly start: number;
}

/**
 * Cuts a Cedar file into its policies, so that each can be named, placed and judged on its own. A policy ends with a
 * `;` outside of strings and comments; what follows the last one comes back as a piece too, for the parser to refuse.
 */
export function splitPolicies(file: string): PolicyText[] {
  const pieces: PolicyText[] = [];
  let start = -1;
  for (let i = 0; i < file.length; i++) {
    const char = file.charAt(i);
    if (file.startsWith('//', i)) {
      i = endOf(file, '\n', i);
    } else if (char === ';') {
      const from = start < 0 ? i : start;
      pieces.push({ text: file.slice(from, i + 1), start: from });
      start = -1;
    } else if (!/\s/.test(char)) {
      if (start < 0) start = i;
      if (char === '"') i = endOfString(file, i);
    }
  }
  if (start >= 0) pieces.push({ text: file.slice(start), start });
  return pieces;
}

function endOf(file: string, mark: string, from: number): number {
  const end = file.indexOf(mark, from);
  return end < 0 ? file.length : end;
}

function endOfString(file: string, open: number): number {
  for (let i = open + 1; i < file.length; i++) {
    const char = file.charAt(i);
    if (char === '"') return i;
    if (char === '\\') i++;
  }
  return file.length;
}

/** Line and column, both from 1, of a character of the file. */
export function placeOf(file: string, index: number): { readonly line: number; readonly column: number } {
  const before = file.slice(0, index);
  const lastBreak = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: index - lastBreak };
}

/** The character index that a UTF-8 byte offset points at. */
export function indexOfByte(text: string, offset: number): number {
  let bytes = 0;
  let index = 0;
  for (const char of text) {
    if (bytes >= offset) break;
    const point = char.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
    index += char.length;
  }
  return index;
}
