/*
 * Statements, names and reasons come from whoever wanted something, and land before the eyes of whoever may allow it.
 * Here they are made plain: nothing in them moves, hides or reorders what stands around them.
 */

/** At most so many characters; what was cut says so. Never ends in half a character. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = isHigh(text.charCodeAt(most - 1)) ? most - 1 : most;
  return `${text.slice(0, end)} … (${text.length} characters)`;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

// Controls but for line breaks and tabs; what reorders text (Trojan Source, CVE-2021-42574); what has no width.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g;

/** Lines stay; what could deceive whoever reads them is spelled out. */
export function lines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(HIDDEN, spell);
}

/** The same on one line. */
export function line(text: string): string {
  return lines(text).replace(/[\n\t]+/g, ' ');
}

function spell(found: string): string {
  return [...Array(found.length).keys()]
    .map((index) => `\\u${found.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');
}
