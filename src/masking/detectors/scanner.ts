import { Fault } from '../../core/fault.ts';
import type { DetectObligation } from '../../core/obligation.ts';
import { DIGIT, pastEscape, WORD } from './bytes.ts';
import { entropy } from './entropy.ts';
import { ALL, ARMOUR, cover, type Detector, type Find } from './hit.ts';
import { JsonStrings } from './json-strings.ts';
import { BEFORE_MARK, BEHIND_MARK, marked, marksFor } from './marks.ts';
import { BEHIND_DIGITS, BY_OTHER, FREE, INSIDE, LONGEST, Numbers } from './numbers.ts';
import { type Pattern, patternFor } from './pattern.ts';

/** The detectors that come with the gateway. */
export const DETECTORS: readonly Detector[] = [
  'card',
  'ssn',
  'email',
  'phone',
  'iban',
  'secret',
  'nino',
  'ip',
  'passport',
  'entropy',
];

type Reaction = DetectObligation['then'];

/** Told of every find by the name of the detector. `length`: its bytes. */
export type Report = (detector: string, reaction: Reaction, length: number) => void;

type As = 'text' | 'json' | 'json-array';

/** Beside what marks may be, what makes the scanner look closer. Every other byte is skipped by one look into a table. */
const NOTHING = 0;
const DIGITS = 1 << 15;

const UNDERSCORE = 0x5f;

/** After this many finds of one pattern in one cell the rest of the cell counts as found: searching on could cost its square. */
const MOST_FINDS = 64;

/**
 * Looks for what nobody labelled. One pass over a cell for all detectors that come with us, linear in its length
 * whatever it holds; then one per operator's pattern. Finds are covered in place: a cell never changes its length,
 * a character is covered whole or not at all, and JSON stays JSON. It finds what is written plainly; what somebody
 * encodes on purpose it does not, so it is a net under the labels and never a replacement for them.
 */
export class Scanner {
  readonly #trigger: Uint16Array;
  /** What the rest of a word is made of, once it is clear that nothing begins in it. */
  readonly #word: Uint8Array;
  readonly #numbers: Numbers;
  readonly #reactions: ReadonlyMap<string, Reaction>;
  readonly #entropy: boolean;
  readonly #patterns: readonly { readonly name: string; readonly pattern: Pattern }[];

  constructor(obligations: readonly DetectObligation[]) {
    const reactions = new Map<string, Reaction>();
    const patterns = new Map<string, Pattern>();
    for (const obligation of obligations) {
      for (const name of obligation.detectors) {
        reactions.set(name, stricter(reactions.get(name), obligation.then));
        if (isBuiltIn(name)) continue;
        const text =
          obligation.patterns && Object.hasOwn(obligation.patterns, name) ? obligation.patterns[name] : undefined;
        if (text === undefined) throw new Fault('CONFIG_INVALID', `there is no detector called ${name}`);
        patterns.set(name, patternFor(text));
      }
    }
    this.#reactions = reactions;
    this.#entropy = reactions.has('entropy');
    this.#patterns = [...patterns].map(([name, pattern]) => ({ name, pattern }));
    const wanted = (detector: Detector): boolean => reactions.has(detector);
    this.#numbers = new Numbers(wanted);
    this.#trigger = marksFor(wanted);
    if (this.#numbers.any) this.#trigger.fill(DIGITS, 0x30, 0x3a);
    // Some prefixes of tokens have digits before their mark. Capitals that are marks only matter where words begin.
    this.#word = WORD.map((flag, byte) => (byte === UNDERSCORE && wanted('secret') ? 0 : flag));
  }

  /** Scans one text. `as`: whether bare numbers must stay numbers, where strings tell them apart, or everywhere. */
  scan(bytes: Uint8Array, start: number, end: number, as: As, report: Report): void {
    // Tables in variables of the loop: an imported one is looked up anew at every use.
    const trigger = this.#trigger;
    const digit = DIGIT;
    const beforeMark = BEFORE_MARK;
    const behindMark = BEHIND_MARK;
    const behindDigits = BEHIND_DIGITS;
    const { before, shapes } = this.#numbers;
    const word = this.#word;
    let strings: JsonStrings | undefined;
    let from = start | 0;
    for (let i = start | 0; i < end; ) {
      // The loop over everything: the index is in bounds, so the element is there; `| 0` keeps it a machine integer.
      while (i < end && trigger[bytes[i] as number] === NOTHING) i++;
      if (i >= end) break;
      const kind = trigger[bytes[i] as number] as number;
      const previous = i > start ? (bytes[i - 1] as number) : 0;
      let next = (i + 1) | 0;
      let find: Find | undefined;
      if (kind === DIGITS) {
        const place = before[previous] as number;
        if (place === FREE) {
          while (next < end && digit[bytes[next] as number] === 1) next++;
          const behind = next < end ? (behindDigits[bytes[next] as number] as number) : BY_OTHER;
          const allowed = shapes[Math.min(next - i, LONGEST)] as number;
          if ((allowed & behind) !== 0) find = this.#numbers.free(bytes, start, i, next, end);
        } else if (place !== INSIDE && this.#numbers.mayBegin(bytes, start, i)) {
          while (next < end && digit[bytes[next] as number] === 1) next++;
          find = this.#numbers.headed(bytes, start, i, next, end);
        }
        if (find === undefined && place !== FREE) while (next < end && word[bytes[next] as number] === 1) next++;
      } else if (next < end) {
        const may = kind & (beforeMark[previous] as number) & (behindMark[bytes[next] as number] as number);
        if (may !== 0) find = marked(may, bytes, start, from, i, end);
      }
      if (find === undefined) {
        i = next;
        continue;
      }
      if (as === 'json') strings ??= new JsonStrings(bytes, start);
      this.#found(find, bytes, start, as, strings, report);
      from = find.end;
      const after = find.end | 0;
      i = after > i ? after : (i + 1) | 0;
    }
    if (this.#entropy) this.#random(bytes, start, end, as, report);
    for (const { name, pattern } of this.#patterns) this.#match(name, pattern, bytes.subarray(start, end), as, report);
  }

  #random(bytes: Uint8Array, start: number, end: number, as: As, report: Report): void {
    let strings: JsonStrings | undefined;
    for (let find = entropy(bytes, start, start, end); find; find = entropy(bytes, start, find.end, end)) {
      if (as === 'json') strings ??= new JsonStrings(bytes, start);
      this.#found(find, bytes, start, as, strings, report);
    }
  }

  /** Reports a find and covers it. */
  #found(find: Find, bytes: Uint8Array, start: number, as: As, strings: JsonStrings | undefined, report: Report): void {
    if (!this.#react(find.detector, report, find.end - find.start)) return;
    if (strings) {
      const clear = strings.clear(find.start);
      return cover(bytes, clear, find, !strings.inside(clear));
    }
    const clear = as === 'json-array' ? pastEscape(bytes, start, find.start) : find.start;
    cover(bytes, clear, find, as === 'json-array');
  }

  /** Reports a find; true when it is to be covered. */
  #react(name: string, report: Report, length: number): boolean {
    const reaction = this.#reactions.get(name) ?? 'deny';
    report(name, reaction, length);
    return reaction !== 'observe';
  }

  #match(name: string, pattern: Pattern, cell: Uint8Array, as: As, report: Report): void {
    const finds: [number, number][] = [];
    pattern.each(cell, (start, end) => {
      finds.push([start, end]);
      return finds.length <= MOST_FINDS;
    });
    const strings = as === 'json' && finds.length > 0 ? new JsonStrings(cell, 0) : undefined;
    for (const [start, end] of finds) {
      if (!this.#react(name, report, end - start)) continue;
      const rest = finds.length > MOST_FINDS && start === finds.at(-1)?.[0];
      const stop = rest ? cell.length : end;
      if (strings) strings.cover(start, stop);
      else cover(cell, start, { end: stop, cover: as === 'text' ? ALL : ARMOUR }, false);
    }
  }
}

function isBuiltIn(name: string): name is Detector {
  return (DETECTORS as readonly string[]).includes(name);
}

function stricter(a: Reaction | undefined, b: Reaction): Reaction {
  if (a === 'deny' || b === 'deny') return 'deny';
  return a === 'mask' || b === 'mask' ? 'mask' : 'observe';
}
