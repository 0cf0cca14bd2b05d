import { RE2JS } from 're2js';

// The one place in this room that knows the pattern engine.

/** What is wrong with an operator's pattern; undefined when it can be used. Matching takes linear time whatever it is. */
export function patternProblem(pattern: string): string | undefined {
  try {
    const compiled = RE2JS.compile(pattern);
    if (compiled.matcher('').find()) return 'matches the empty text, so it would match everywhere';
    return undefined;
  } catch (thrown) {
    return `is not an RE2 pattern: ${thrown instanceof Error ? thrown.message : 'unreadable'}`;
  }
}

/** `schema.relation.column`: three parts, each of letters, `*`, or percent-encoded characters. */
export function columnProblem(pattern: string): string | undefined {
  const parts = pattern.split('.');
  if (parts.length !== 3) return 'must be schema.relation.column, each part a name or a pattern with *';
  if (parts.some((part) => part === '')) return 'has an empty part; write * for any name';
  if (parts.some((part) => part.length > 256)) return 'is too long';
  if (parts.some((part) => /%(?![0-9A-Fa-f]{2})/.test(part))) return 'has a % that is not followed by two hex digits';
  return undefined;
}
