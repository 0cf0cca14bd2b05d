import { Fault } from '../../core/fault.ts';
import type { DetectObligation } from '../../core/obligation.ts';
import { DIGIT, pastEscape } from './bytes.ts';
import { card } from './card.ts';
import { email } from './email.ts';
import { entropy } from './entropy.ts';
import { ALL, ARMOUR, cover, type Detector, type Find } from './hit.ts';
import { iban } from './iban.ts';
import { ipv4, ipv6 } from './ip.ts';
import { JsonStrings } from './json-strings.ts';
import { nationalPhone } from './national-phone.ts';
import { nino } from './nino.ts';
import { passport } from './passport.ts';
import { type Pattern, patternFor } from './pattern.ts';
import { phone } from './phone.ts';
import { cloudKey, jwt, token, urlPassword } from './secret.ts';
import { ssn } from './ssn.ts';

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

/** What makes the scanner look closer. Every other byte is skipped by one look into a table. */
const NOTHING = 0;
const DIGITS = 1;
const AT = 2;
const PLUS = 3;
const MARK = 4;
const LETTER_I = 5;
const LETTER_J = 6;
const COLON = 7;
const FILLER = 8;

const SPACE = 0x20;
const CLOSE = 0x29;
const DASH = 0x2d;
const DOT = 0x2e;

/** After this many finds of one pattern in one cell the rest of the cell counts as found: searching on could cost its square. */
const MOST_FINDS = 64;

/**
 * Looks for what nobody labelled. One pass over a cell for all detectors that come with us, linear in its length
 * whatever it holds; then one per operator's pattern. Finds are covered in place: a cell never changes its length,
 * a character is covered whole or not at all, and JSON stays JSON. It finds what is written plainly; what somebody
 * encodes on purpose it does not, so it is a net under the labels and never a replacement for them.
 */
export class Scanner {
  readonly #trigger: Uint8Array;
  readonly #reactions: ReadonlyMap<string, Reaction>;
  readonly #card: boolean;
  readonly #ssn: boolean;
  readonly #iban: boolean;
  readonly #phone: boolean;
  readonly #nino: boolean;
  readonly #ip: boolean;
  readonly #secret: boolean;
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
    this.#card = reactions.has('card');
    this.#ssn = reactions.has('ssn');
    this.#iban = reactions.has('iban');
    this.#phone = reactions.has('phone');
    this.#nino = reactions.has('nino');
    this.#ip = reactions.has('ip');
    this.#secret = reactions.has('secret');
    this.#entropy = reactions.has('entropy');
    this.#patterns = [...patterns].map(([name, pattern]) => ({ name, pattern }));
    this.#trigger = triggers(reactions);
  }

  /** Scans one text. `as`: whether bare numbers must stay numbers, where strings tell them apart, or everywhere. */
  scan(bytes: Uint8Array, start: number, end: number, as: As, report: Report): void {
    const strings = as === 'json' ? new JsonStrings(bytes, start) : undefined;
    const trigger = this.#trigger;
    let from = start;
    for (let i = start; i < end; ) {
      // The loop over everything: the index is in bounds, so the element is there.
      while (i < end && trigger[bytes[i] as number] === NOTHING) i++;
      if (i >= end) break;
      let stop = i + 1;
      let find: Find | undefined;
      if (trigger[bytes[i] as number] === DIGITS) {
        while (stop < end && DIGIT[bytes[stop] as number] === 1) stop++;
        find = this.#digits(bytes, start, i, stop, end);
      } else {
        find = this.#mark(bytes, start, from, i, end);
      }
      if (find === undefined) {
        i = stop;
        continue;
      }
      this.#found(find, bytes, start, as, strings, report);
      from = find.end;
      i = Math.max(find.end, i + 1);
    }
    if (this.#entropy) this.#random(bytes, start, end, as, report);
    for (const { name, pattern } of this.#patterns) this.#match(name, pattern, bytes.subarray(start, end), as, report);
  }

  /** What the run of digits `[at, stop)` is or begins. Most runs are too short or stand alone: those cost two looks. */
  #digits(bytes: Uint8Array, start: number, at: number, stop: number, end: number): Find | undefined {
    const length = stop - at;
    const next = stop < end ? bytes[stop] : 0;
    const separated = next === SPACE || next === DASH;
    if (length >= 13 || (length === 4 && separated)) {
      const find = this.#card ? card(bytes, start, at, stop, end) : undefined;
      if (find) return find;
    }
    if (length === 3 && separated && this.#ssn) {
      const find = ssn(bytes, start, at, stop, end);
      if (find) return find;
    }
    if (length === 3 && this.#phone && (next === DASH || next === DOT || next === CLOSE)) {
      const find = nationalPhone(bytes, start, at, stop, end);
      if (find) return find;
    }
    if (length <= 3 && next === DOT) return this.#ip ? ipv4(bytes, start, at, stop, end) : undefined;
    if (this.#nino && (length === 6 || length === 2)) {
      const find = nino(bytes, start, at, stop, end);
      if (find) return find;
    }
    return this.#iban && length >= 2 ? iban(bytes, start, at, end) : undefined;
  }

  /** What begins with `:`. */
  #colon(bytes: Uint8Array, start: number, at: number, end: number): Find | undefined {
    return (
      (this.#secret ? urlPassword(bytes, at, end) : undefined) ?? (this.#ip ? ipv6(bytes, start, at, end) : undefined)
    );
  }

  #random(bytes: Uint8Array, start: number, end: number, as: As, report: Report): void {
    const strings = as === 'json' ? new JsonStrings(bytes, start) : undefined;
    for (let find = entropy(bytes, start, start, end); find; find = entropy(bytes, start, find.end, end)) {
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

  #mark(bytes: Uint8Array, start: number, from: number, at: number, end: number): Find | undefined {
    switch (this.#trigger[bytes[at] ?? 0]) {
      case AT:
        return email(bytes, from, at, end);
      case PLUS:
        return phone(bytes, start, at, end);
      case MARK:
        return token(bytes, start, at, end);
      case COLON:
        return this.#colon(bytes, start, at, end);
      case FILLER:
        return passport(bytes, start, at, end);
      case LETTER_I:
        return cloudKey(bytes, start, at, end);
      default:
        return jwt(bytes, start, at, end);
    }
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

const STARTED_BY_DIGITS: readonly Detector[] = ['card', 'ssn', 'iban', 'phone', 'nino', 'ip'];

function triggers(reactions: ReadonlyMap<string, Reaction>): Uint8Array {
  const table = new Uint8Array(256);
  if (STARTED_BY_DIGITS.some((name) => reactions.has(name))) table.fill(DIGITS, 0x30, 0x3a);
  if (reactions.has('email')) table[0x40] = AT;
  if (reactions.has('phone')) table[0x2b] = PLUS;
  if (reactions.has('secret') || reactions.has('ip')) table[0x3a] = COLON;
  if (reactions.has('passport')) table[0x3c] = FILLER;
  if (reactions.has('secret')) {
    table[0x5f] = MARK;
    table[0x2d] = MARK;
    table[0x49] = LETTER_I;
    table[0x4a] = LETTER_J;
  }
  return table;
}
