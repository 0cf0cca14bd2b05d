import type { CatalogColumn, CatalogRelation } from '../../core/catalog.ts';
import type { ColumnLabel } from '../../core/facts.ts';
import { kindByName, type TypeClass } from './names.ts';
import type { Proposal } from './proposal.ts';
import type { Matched, Place, Tally } from './tally.ts';
import { type Weighed, weigh } from './weigh.ts';

export interface Subject {
  readonly relation: Pick<CatalogRelation, 'schema' | 'name'>;
  readonly column: Pick<CatalogColumn, 'name' | 'labels'>;
  readonly type: TypeClass;
  /** Undefined: nothing of it was looked at. */
  readonly tally: Tally | undefined;
}

/** Paths that are told one by one; more of them are told by what they have in common. */
const MOST_PATHS = 4;

/** Label rules for one column. */
export function propose(subject: Subject): Proposal[] {
  const { relation, column, type, tally } = subject;
  const named = kindByName(column.name, relation.name, type);
  const cells = tally?.cells ?? 0;
  if (tally === undefined || tally.places.size === 0) {
    const found = tally?.whole.found ?? new Map();
    return weigh({ cells, found }, named, tally !== undefined).map((one) => proposal(subject, one));
  }
  const { known, rest, rare } = sort(tally, column.labels);
  // Nothing is named that few documents have: a key may be somebody's value, too. What lies there is told of the whole.
  const whole = weigh({ cells, found: rest }, named, true);
  const byName = rare.flatMap((key): Weighed[] => {
    const one = kindByName(key, relation.name, 'text');
    return one === undefined ? [] : weigh({ cells, found: new Map() }, { ...one, among: true }, false);
  });
  const outer = distinct([...whole, ...byName]).map((one) => proposal(subject, { ...one, within: true }));
  const labelled = new Set(outer.map((one) => one.label));
  return [...outer, ...inside(subject, known).filter((one) => !labelled.has(one.label))];
}

interface Sorted {
  /** Places that many documents have. */
  readonly known: readonly Place[];
  /** What was found elsewhere. */
  readonly rest: Place['found'];
  /** The last keys of the other places. */
  readonly rare: readonly string[];
}

function sort(tally: Tally, labels: readonly ColumnLabel[]): Sorted {
  const covered = labels.flatMap(({ path }) => (path === undefined ? [] : [path]));
  const open = [...tally.places.values()].filter(({ path }) => !covered.some((start) => startsWith(path, start)));
  const recurs = ({ cells }: Place): boolean => cells >= 2 && cells * 10 >= tally.cells;
  const others = open.filter((place) => !recurs(place));
  const rest = new Map<string, Matched>();
  for (const { found } of [tally.whole, ...others]) {
    for (const [detector, { cells, whole }] of found) {
      const sum = rest.get(detector) ?? { cells: 0, whole: 0 };
      // One document may have it at several places.
      const most = (count: number): number => Math.min(count, tally.cells);
      rest.set(detector, { cells: most(sum.cells + cells), whole: most(sum.whole + whole) });
    }
  }
  return { known: open.filter(recurs), rest, rare: others.map(({ path }) => path.at(-1) ?? '') };
}

function distinct(all: readonly Weighed[]): Weighed[] {
  return [...new Map(all.toReversed().map((one) => [one.kind.label, one])).values()].toReversed();
}

interface At {
  readonly path: readonly string[];
  readonly weighed: Weighed;
}

function inside(subject: Subject, places: readonly Place[]): Proposal[] {
  const byLabel = new Map<string, At[]>();
  for (const place of places) {
    const named = kindByName(place.path.at(-1) ?? '', subject.relation.name, 'text');
    for (const weighed of weigh(place, named, true)) {
      const known = byLabel.get(weighed.kind.label);
      if (known) known.push({ path: place.path, weighed });
      else byLabel.set(weighed.kind.label, [{ path: place.path, weighed }]);
    }
  }
  return [...byLabel.values()].flatMap((all) => merge(subject, all));
}

function merge(subject: Subject, all: readonly At[]): Proposal[] {
  if (all.length <= MOST_PATHS) return all.map(({ path, weighed }) => proposal(subject, weighed, path));
  const common = shared(all.map(({ path }) => path));
  const [best] = all.map(({ weighed }) => weighed).toSorted((a, b) => b.matched - a.matched);
  return best ? [proposal(subject, { ...best, within: true }, common.length > 0 ? common : undefined)] : [];
}

function shared(paths: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...others] = paths;
  let length = first.length;
  for (const other of others) {
    let same = 0;
    while (same < length && other[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, length);
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((key, i) => path[i] === key);
}

function proposal({ relation, column }: Subject, weighed: Weighed, path?: readonly string[]): Proposal {
  const { kind, confidence, cells, matched, detectors, named, within } = weighed;
  return {
    column: [relation.schema, relation.name, column.name].map(encodeName).join('.'),
    label: kind.label,
    // Of a longer text the end, or what stands around an @, may be anything.
    mask: within && path === undefined ? 'redact' : kind.mask,
    ...(path === undefined ? {} : { path }),
    confidence,
    cells,
    matched,
    detectors,
    named,
    within,
    has: labelsOf(column.labels),
  };
}

function labelsOf(labels: readonly ColumnLabel[]): string[] {
  return [...new Set(labels.map(({ label }) => label))];
}

/** A name as a part of a label rule's pattern. */
export function encodeName(name: string): string {
  return name.replace(
    /[.*%\u0000-\u001f\u007f]/g,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}
