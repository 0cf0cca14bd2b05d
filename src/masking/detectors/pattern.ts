import { RE2JS } from 're2js';
import { Fault } from '../../core/fault.ts';

/** RE2 has no backtracking, but a pattern may still be large: its program is what every byte may cost. */
const MOST_PROGRAM = 2000;
const MOST_TEXT = 500;

/** One operator's own detector: an RE2 pattern over UTF-8. The one place that knows re2js. */
export class Pattern {
  readonly #regex: RE2JS;

  /** Throws Fault CONFIG_INVALID for what is not a pattern, matches the empty string, or is too large. */
  constructor(text: string) {
    if (text.length > MOST_TEXT) throw new Fault('CONFIG_INVALID', `a pattern has at most ${MOST_TEXT} characters`);
    try {
      this.#regex = RE2JS.compile(text);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Fault('CONFIG_INVALID', why.replace(/^error parsing regexp: /, ''), { cause });
    }
    if (this.#regex.programSize() > MOST_PROGRAM) throw new Fault('CONFIG_INVALID', 'the pattern is too large');
    if (this.#regex.test('')) throw new Fault('CONFIG_INVALID', 'the pattern matches the empty text, so everything');
  }

  /** Calls back with each match, first to last, until it returns false. Matches begin and end at characters. */
  each(bytes: Uint8Array, found: (start: number, end: number) => boolean): void {
    if (!this.#regex.test(bytes)) return;
    const matcher = this.#regex.matcher(bytes);
    while (matcher.find()) {
      if (matcher.end() > matcher.start() && !found(matcher.start(), matcher.end())) return;
    }
  }
}

const KEPT = 256;
const compiled = new Map<string, Pattern>();

/** The same, compiled once per text. */
export function patternFor(text: string): Pattern {
  let pattern = compiled.get(text);
  if (!pattern) {
    pattern = new Pattern(text);
    if (compiled.size >= KEPT) compiled.clear();
    compiled.set(text, pattern);
  }
  return pattern;
}
