import { isLabel } from '../../core/label.ts';
import type { Kind } from '../kinds/kind.ts';
import { KINDS } from '../kinds/kinds.ts';
import type { Named } from './names.ts';
import type { Confidence } from './proposal.ts';
import type { Matched, Place } from './tally.ts';

/** What speaks for a kind at one place. */
export interface Weighed {
  readonly kind: Kind;
  readonly confidence: Confidence;
  readonly cells: number;
  readonly matched: number;
  readonly detectors: readonly string[];
  readonly named: boolean;
  readonly within: boolean;
}

/** Detectors that also find what only looks like it: long numbers that pass Luhn by chance, versions, random identifiers. */
const DOUBTFUL = new Set(['card', 'ip', 'entropy']);
/** Detectors that leave out nothing plain: where they find nothing in many values, the name means something else. */
const COMPLETE = new Set(['email', 'iban', 'ip']);
const MANY = 20;

const BY_DETECTOR: ReadonlyMap<string, Kind> = new Map(
  KINDS.flatMap((kind) => (kind.detectors ?? []).map((detector): [string, Kind] => [detector, kind])),
);

/** What a detector's finds are; an operator's own detector is a kind of its own name. */
export function kindOf(detector: string): Kind {
  const known = BY_DETECTOR.get(detector);
  if (known !== undefined) return known;
  return {
    label: isLabel(detector) ? detector : 'found',
    mask: 'redact',
    detectors: [detector],
    names: [],
    columns: [],
  };
}

interface Evidence extends Matched {
  readonly kind: Kind;
  readonly detectors: string[];
  doubtful: boolean;
}

/** Kinds that a place seems to hold, by what was found there and by its name; the surest first. */
export function weigh(
  { cells, found }: Pick<Place, 'cells' | 'found'>,
  named: Named | undefined,
  isSampled: boolean,
): Weighed[] {
  const weighed: Weighed[] = [];
  for (const evidence of gather(found)) {
    const confidence = judge(evidence, cells, named?.kind === evidence.kind);
    if (confidence === undefined) continue;
    const { kind, cells: matched, detectors } = evidence;
    const within = isWithin(evidence);
    weighed.push({ kind, confidence, cells, matched, detectors, named: named?.kind === kind, within });
  }
  if (named !== undefined && speaksAlone(named, { cells, isSampled }, weighed)) {
    const confidence = named.among ? 'maybe' : 'likely';
    weighed.push({ kind: named.kind, confidence, cells, matched: 0, detectors: [], named: true, within: false });
  }
  return weighed;
}

function gather(found: Place['found']): Evidence[] {
  const kinds = new Map<string, Evidence>();
  for (const [detector, { cells, whole }] of found) {
    const kind = kindOf(detector);
    const evidence = kinds.get(kind.label) ?? { kind, cells: 0, whole: 0, detectors: [], doubtful: true };
    kinds.set(kind.label, evidence);
    evidence.detectors.push(detector);
    // Two detectors of one kind mostly find the same cells.
    evidence.cells = Math.max(evidence.cells, cells);
    evidence.whole = Math.max(evidence.whole, whole);
    evidence.doubtful &&= DOUBTFUL.has(detector);
  }
  return [...kinds.values()];
}

function isWithin({ cells, whole }: Matched): boolean {
  return whole * 2 < cells;
}

/** Undefined: too little to speak of. */
function judge(evidence: Evidence, cells: number, isNamed: boolean): Confidence | undefined {
  const { cells: matched, doubtful } = evidence;
  const share = matched / cells;
  if (isNamed) return share >= 0.3 && matched >= 3 ? 'sure' : 'likely';
  if (isWithin(evidence)) {
    // One in a text may be anything; in prose even a number that passes Luhn is hardly chance.
    if (evidence.detectors.every((detector) => detector !== 'card') && doubtful && share < 0.2) return undefined;
    if (matched < 2 && cells > 1) return undefined;
    return matched >= 3 ? 'likely' : 'maybe';
  }
  if (matched === cells && matched < 3) return 'maybe';
  if (doubtful && share < 0.5) return undefined;
  if (matched < 2 || share < 0.02) return undefined;
  if (share >= 0.7 && matched >= 10) return 'sure';
  return matched >= 3 && share >= 0.1 ? 'likely' : 'maybe';
}

/** Whether a name counts although nothing of its kind was found. */
function speaksAlone(
  { kind }: Named,
  { cells, isSampled }: { readonly cells: number; readonly isSampled: boolean },
  weighed: readonly Weighed[],
): boolean {
  if (weighed.some((one) => one.kind === kind)) return false;
  if (weighed.some((one) => !one.within && one.confidence === 'sure')) return false;
  const isDenied = isSampled && cells >= MANY && (kind.detectors ?? []).some((detector) => COMPLETE.has(detector));
  return !isDenied;
}
