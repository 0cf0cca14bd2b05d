import { Fault } from '../core/fault.ts';
import { type DetectObligation, type Obligation, strictestFirst } from '../core/obligation.ts';
import { type Report, Scanner } from './detectors/scanner.ts';
import type { Masker } from './masker.ts';
import { type Hasher, maskerFor, redactedMask } from './masks.ts';
import type { Rewrite } from './rewrite.ts';
import { type ResultField, type ScanAs, scanAs } from './types.ts';

const PASS = 0;
const MASK = 1;
const SCAN = 2;

/**
 * A plan for each row of the result of one statement, by its index in the query. Fields are matched by table and
 * attribute number, never by name; those that are redacted as a whole by their position.
 */
export function planResult(
  fields: readonly ResultField[],
  obligations: readonly Obligation[],
  hasher: Hasher,
  statement = 0,
): ResultPlan {
  const masks = obligations.filter((one) => one.kind === 'mask').toSorted(strictestFirst);
  const detects = obligations.filter((one) => one.kind === 'detect');
  const modes = new Uint8Array(fields.length);
  const maskers: (Masker | undefined)[] = [];
  const scans: (ScanAs | undefined)[] = [];
  for (const [index, field] of fields.entries()) {
    const applying = masks.filter((one) => one.table === field.table && one.attribute === field.attribute);
    const whole = obligations.some(
      (one) => one.kind === 'redact' && one.statement === statement && one.position === index,
    );
    const scan = detects.some((one) => scanned(one, field)) ? scanAs(field) : undefined;
    if (whole || applying.length > 0) {
      modes[index] = MASK;
      maskers[index] = whole ? redactedMask(field) : maskerFor(field, applying, hasher);
    } else if (scan) {
      modes[index] = SCAN;
      scans[index] = scan;
    }
  }
  const scanner = scans.length > 0 ? scannerFor(detects) : undefined;
  return new ResultPlan({ fields, modes, maskers, scans, scanner });
}

interface Parts {
  readonly fields: readonly ResultField[];
  readonly modes: Uint8Array;
  readonly maskers: readonly (Masker | undefined)[];
  readonly scans: readonly (ScanAs | undefined)[];
  readonly scanner: Scanner | undefined;
}

/**
 * Masks and scans the rows of one result. Finds are covered where they lie; a masked value is replaced on the row's way
 * out. Lengths inside a row are believed only as far as the row reaches.
 */
export class ResultPlan {
  /** Nothing to do: rows may be passed on unread. */
  readonly untouched: boolean;
  /** How often each detector found something. */
  readonly hits: Map<string, number> = new Map();
  readonly #parts: Parts;
  readonly #report: Report;
  #refused = false;

  constructor(parts: Parts, untouched: boolean = parts.modes.every((mode) => mode === PASS)) {
    this.#parts = parts;
    this.untouched = untouched;
    this.#report = (detector, reaction) => {
      this.hits.set(detector, (this.hits.get(detector) ?? 0) + 1);
      if (reaction === 'deny') this.#refused = true;
    };
  }

  /** A plan for another result of the same fields under the same obligations. */
  again(): ResultPlan {
    return new ResultPlan(this.#parts, this.untouched);
  }

  /** A detector whose finds are refused found something: the row that told is covered, and nothing more may follow. */
  get refused(): boolean {
    return this.#refused;
  }

  /**
   * Sends the body of a DataRow in `bytes[start, end)` out through `rewrite`, masked, behind its header in
   * `bytes[head, start)`. Returns by how much the body grew. Throws Fault TARGET_PROTOCOL for what is no such row.
   */
  maskRow(bytes: Uint8Array, head: number, start: number, end: number, rewrite: Rewrite): number {
    const { modes, maskers, scans } = this.#parts;
    const count = modes.length;
    if (end - start < 2 || end > bytes.length || int16(bytes, start) !== count) throw malformed('columns');
    let at = start + 2;
    let passed = head;
    let grown = 0;
    for (let i = 0; i < count; i++) {
      if (at + 4 > end) throw malformed('a length');
      const length = int32(bytes, at);
      at += 4;
      if (length < 0) {
        if (length !== -1) throw malformed('a length');
        continue;
      }
      if (length > end - at) throw malformed('a value');
      const value = at;
      at += length;
      const mode = modes[i];
      if (mode === PASS) continue;
      if (mode === SCAN) {
        this.#scan(bytes, value, at, scans[i] ?? 'text');
        continue;
      }
      const masker = maskers[i] as Masker;
      rewrite.pass(passed, value - 4);
      passed = at;
      rewrite.reserve(4 + masker.most(length), value);
      const { out, to } = rewrite;
      const masked = masker.mask(bytes, value, at, out, to + 4);
      putInt32(out, to, masked);
      const size = Math.max(masked, 0);
      rewrite.to = to + 4 + size;
      grown += size - length;
    }
    if (at !== end) throw malformed('an end');
    rewrite.pass(passed, end);
    return grown;
  }

  /** Scans the body of a CopyData of COPY … TO STDOUT, in the same way. Its length never changes so far. */
  scanText(bytes: Uint8Array, start: number, end: number): void {
    if (end > bytes.length) throw malformed('an end');
    const binary = this.#parts.fields[0]?.format === 1;
    if (!binary) this.#scan(bytes, start, end, 'text');
    else scanTuples(bytes, start, end, (from, to) => this.#scan(bytes, from, to, 'text'));
  }

  #scan(bytes: Uint8Array, start: number, end: number, as: ScanAs): void {
    const { scanner } = this.#parts;
    if (!scanner) return;
    if (as === 'jsonb-binary') scanner.scan(bytes, Math.min(end, start + 1), end, 'json', this.#report);
    else if (as !== 'array-binary') scanner.scan(bytes, start, end, as, this.#report);
    else scanElements(bytes, start, end, (from, to, json) => scanner.scan(bytes, from, to, json, this.#report));
  }
}

/** The elements of an array in binary format, each with how to read it. Anything else there is left unread. */
function scanElements(
  bytes: Uint8Array,
  start: number,
  end: number,
  scan: (from: number, to: number, as: 'text' | 'json') => void,
): void {
  if (end - start < 12) throw malformed('an array');
  const dimensions = int32(bytes, start);
  const element = int32(bytes, start + 8);
  let at = start + 12 + 8 * dimensions;
  if (dimensions < 0 || dimensions > 6 || at > end) throw malformed('an array'); // MAXDIM
  while (at < end) {
    if (at + 4 > end) throw malformed('an array');
    const length = int32(bytes, at);
    at += 4;
    if (length < -1 || length > end - at) throw malformed('an array');
    if (length < 0) continue;
    const json = element === 114 || element === 3802;
    if (element === 3802) scan(Math.min(at + 1, at + length), at + length, 'json');
    else scan(at, at + length, json ? 'json' : 'text');
    at += length;
  }
}

const SIGNATURE = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00];

/** The values of COPY's binary format: tuples like DataRows, behind a header in the first message. */
function scanTuples(bytes: Uint8Array, start: number, end: number, scan: (from: number, to: number) => void): void {
  let at = start;
  if (SIGNATURE.every((byte, i) => start + i < end && bytes[start + i] === byte)) {
    if (end - start < 19) throw malformed('a header');
    const extension = int32(bytes, start + 15);
    if (extension < 0 || extension > end - start - 19) throw malformed('a header');
    at = start + 19 + extension;
  }
  while (at < end) {
    if (at + 2 > end) throw malformed('a tuple');
    const count = int16(bytes, at);
    at += 2;
    for (let i = 0; i < count; i++) {
      if (at + 4 > end) throw malformed('a tuple');
      const length = int32(bytes, at);
      at += 4;
      if (length < -1 || length > end - at) throw malformed('a tuple');
      if (length > 0) scan(at, at + length);
      at += Math.max(length, 0);
    }
  }
}

function scanned(detect: DetectObligation, field: ResultField): boolean {
  if (detect.detectors.length === 0) return false;
  const revealed = detect.except ?? [];
  return !revealed.some((one) => one.table === field.table && one.attribute === field.attribute);
}

/** Scanners are the same for every result of one decision, and decisions are kept. */
const scanners = new WeakMap<DetectObligation, Scanner>();

function scannerFor(obligations: readonly DetectObligation[]): Scanner {
  const [first, ...more] = obligations;
  if (!first || more.length > 0) return new Scanner(obligations);
  const known = scanners.get(first);
  if (known) return known;
  const scanner = new Scanner(obligations);
  scanners.set(first, scanner);
  return scanner;
}

function int16(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) >> 16) | (bytes[at + 1] ?? 0);
}

function int32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function malformed(what: string): Fault {
  return new Fault('TARGET_PROTOCOL', `a row of the target does not have ${what} where it must`);
}
