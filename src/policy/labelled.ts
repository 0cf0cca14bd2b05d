import type { Decision, Permit } from '../core/decision.ts';
import type { ColumnLabel, ColumnUse, SourceSite, StatementFacts } from '../core/facts.ts';
import {
  type Mask,
  type MaskObligation,
  type Obligation,
  type RedactObligation,
  type SourceMask,
  type SourceObligation,
  strictestFirst,
} from '../core/obligation.ts';
import { resourceId } from '../core/resource.ts';
import { type Judgement, refusals } from './columns.ts';

export interface LabelledRuling {
  /** All must hold. */
  readonly decisions: readonly Decision[];
  /** Leave as themselves, permitted by `reveal`. */
  readonly revealed: readonly ColumnUse[];
}

/**
 * Rules on every use of labelled columns in one statement (policy.md §3). What may not be seen leaves masked; what is
 * computed from it is computed from the mask where its relation can be masked at the source, else covered as a whole
 * where that tells nothing, else denied.
 */
export function ruleOnLabelled(
  statement: StatementFacts,
  position: number,
  judgements: readonly Judgement[],
): LabelledRuling {
  const tables = Map.groupBy(judgements, ({ use }) => use.table);
  const decisions: Decision[] = [];
  const masked = new Set<number>();
  for (const [table, all] of tables) {
    const source = sourceOf(all, { statement, position, table });
    for (const judgement of all) {
      if (judgement.refused.length === 0) decisions.push(...judgement.granted);
      else if (!source || isDecided(judgement)) decisions.push(...otherwise(judgement, statement, position));
    }
    if (source) {
      decisions.push(permit(source));
      masked.add(table);
    }
  }
  const granted = judgements.filter(({ refused }) => refused.length === 0).map(({ use }) => use);
  const quotable = judgements.filter(({ use }) => use.use !== 'derive' || !masked.has(use.table));
  if (quotable.some((judgement) => mayBeQuoted(judgement, judgements)))
    decisions.push(permit({ kind: 'terse', messages: true }));
  return { decisions, revealed: granted.filter(({ use }) => use === 'read') };
}

/** Filters and writes are denied whatever is masked; so is what could not be decided. */
function isDecided({ use, refused }: Judgement): boolean {
  const faulty = refused.some(({ decision }) => decision.effect === 'deny' && decision.reason === 'policy-fault');
  return faulty || use.use === 'filter' || use.use === 'assign';
}

interface Of {
  readonly statement: StatementFacts;
  readonly position: number;
  readonly table: number;
}

/** The masks of a relation whose hidden columns something is computed from; undefined where there is no need or no way. */
function sourceOf(judgements: readonly Judgement[], { statement, position, table }: Of): SourceObligation | undefined {
  const sites = statement.sources?.sites.filter((site) => site.table === table) ?? [];
  const hidden = judgements.filter(({ use, refused }) => refused.length > 0 && !WRITES.has(use.use));
  const derived = hidden.filter(({ use }) => use.use === 'derive');
  if (sites.length === 0 || derived.length === 0) return undefined;
  if (derived.some(({ open }) => open.some(({ derive }) => derive === 'deny'))) return undefined;
  const columns = masksOf(judgements);
  const judged = new Set(judgements.map(({ use }) => use.attribute));
  columns.push(...partly(statement, table).filter(({ attribute }) => !judged.has(attribute)));
  if (!mayFilter(judgements, columns, sites)) return undefined;
  const masked = new Set(columns.map(({ attribute }) => attribute));
  const clear = new Set(judgements.map(({ use }) => use.attribute).filter((attribute) => !masked.has(attribute)));
  return { kind: 'source', statement: position, table, columns, clear: [...clear] };
}

const WRITES: ReadonlySet<ColumnUse['use']> = new Set(['filter', 'assign']);

/** One mask per column that is hidden, or that only filters use: what filters see is never shown. */
function masksOf(judgements: readonly Judgement[]): SourceMask[] {
  const byColumn = Map.groupBy(judgements, ({ use }) => use.attribute);
  return [...byColumn].flatMap(([attribute, all]): SourceMask[] => {
    const shown = all.filter(({ use }) => !WRITES.has(use.use));
    const [first] = all;
    if (!first || (shown.length > 0 && shown.every(({ refused }) => refused.length === 0))) return [];
    const open = shown.length > 0 ? shown.flatMap((judgement) => judgement.open) : first.use.labels;
    const filtered = all.some(({ use, refused }) => use.use === 'filter' && refused.length === 0);
    return [{ column: resourceId(first.use.column), attribute, masks: masks(open), filtered }];
  });
}

/** Columns of which the statement uses what their labels are not on. */
function partly({ columns }: StatementFacts, table: number): SourceMask[] {
  const uses = columns.filter((use) => use.table === table && use.besides);
  const byAttribute = new Map(uses.map((use) => [use.attribute, use]));
  return [...byAttribute.values()].map(({ column, attribute, labels }) => {
    return { column: resourceId(column), attribute, masks: masks(labels), filtered: false };
  });
}

/** What a filter was permitted to see it must be able to see beside the mask. */
function mayFilter(
  judgements: readonly Judgement[],
  columns: readonly SourceMask[],
  sites: readonly SourceSite[],
): boolean {
  const filtered = columns.filter((column) => column.filtered).map(({ attribute }) => attribute);
  if (filtered.length === 0) return true;
  if (judgements.some(({ use }) => use.through === true && filtered.includes(use.attribute))) return false;
  return sites.every(({ whole, filters }) => !whole || !filters.some(({ attribute }) => filtered.includes(attribute)));
}

/** What becomes of a refused use where its relation is left in the text as it is. */
function otherwise(judgement: Judgement, { copy }: StatementFacts, position: number): Decision[] {
  const { use, open } = judgement;
  if (isDecided(judgement) || copy !== undefined) return refusals(judgement);
  const placed = use.table > 0 && use.attribute > 0;
  if (use.use === 'read' && placed) return masks(open).map((mask) => permit(wireMask(use, mask)));
  if (use.use !== 'derive' || !use.outputs || open.some(({ derive }) => derive === 'deny')) return refusals(judgement);
  const [label] = open;
  return label ? use.outputs.map((output) => permit(redaction(use, label, { position, output }))) : refusals(judgement);
}

function wireMask(use: ColumnUse, mask: Mask): MaskObligation {
  const { table, attribute } = use;
  return { kind: 'mask', column: resourceId(use.column), table, attribute, ...mask };
}

function redaction(
  use: ColumnUse,
  { label }: ColumnLabel,
  { position, output }: { readonly position: number; readonly output: number },
): RedactObligation {
  return { kind: 'redact', statement: position, position: output, column: resourceId(use.column), label };
}

/** The strictest mask of the whole value; where all are of parts of it, every one. */
function masks(labels: readonly ColumnLabel[]): readonly Mask[] {
  const whole = labels.filter(({ path }) => path === undefined).toSorted(strictestFirst);
  const chosen = whole.length > 0 ? whole.slice(0, 1) : unique(labels);
  return chosen.map(({ label, style, constant, path }) => ({
    label,
    style,
    ...(constant === undefined ? {} : { constant }),
    ...(path === undefined ? {} : { path }),
  }));
}

function unique(labels: readonly ColumnLabel[]): ColumnLabel[] {
  return [...new Map(labels.map((label) => [JSON.stringify(label), label])).values()];
}

/**
 * Whether the server's errors and notices could quote the value: something is done with it that may fail, and not all
 * that is done with the column shows that it may be seen.
 */
function mayBeQuoted({ use, refused }: Judgement, all: readonly Judgement[]): boolean {
  if (use.use === 'read') return false;
  if (use.use === 'filter' && use.filter === 'equality') return false;
  if (refused.length > 0) return true;
  const same = all.filter((other) => other.use.table === use.table && other.use.attribute === use.attribute);
  return !same.some((other) => !WRITES.has(other.use.use) && other.refused.length === 0);
}

function permit(obligation: Obligation): Permit {
  return { effect: 'permit', policies: [], obligations: [obligation] };
}
