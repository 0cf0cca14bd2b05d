import type { SourceColumn, SourceSite, Span, SqlFacts } from '../../core/facts.ts';
import { Fault } from '../../core/fault.ts';
import type { Mask, SourceObligation } from '../../core/obligation.ts';
import { withoutCosts } from './explain-options.ts';
import type { Token } from './lexer.ts';
import { significant } from './positions.ts';
import { RAW_PREFIX } from './sites.ts';

/** SQL for the mask of a column that is reached by `reference`; without masks, NULL of its type. */
export type MaskColumn = (column: SourceColumn, reference: string, masks: readonly Mask[]) => string;

export interface Sources {
  readonly facts: SqlFacts;
  readonly obligations: readonly SourceObligation[];
  /** Positions of EXPLAINs that are told without costs. */
  readonly explained?: readonly number[];
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text with a subquery wherever a relation of the obligations stands, in which its labelled columns are masked
 * (policy.md §3): whatever is computed from it is computed from masks. Facts must be those of this very text. Nothing
 * else of the text changes. Throws Fault POLICY_FAILED when facts and obligations do not fit: it must not be sent then.
 */
export function maskAtSource(text: string, { facts, obligations, explained = [] }: Sources, mask: MaskColumn): string {
  if (obligations.length === 0 && explained.length === 0) return text;
  const all = significant(text);
  const edits = obligations.flatMap((obligation) => editsOf(obligation, { facts, all, mask }));
  for (const position of explained) edits.push(planOf(text, all, position));
  edits.sort((a, b) => a.start - b.start);
  let out = '';
  let at = 0;
  for (const { start, end, text: instead } of edits) {
    if (start < at) throw unfit('two changes of the text overlap');
    out += text.slice(at, start) + instead;
    at = end;
  }
  return out + text.slice(at);
}

function planOf(text: string, all: readonly Token[], position: number): Edit {
  const found = withoutCosts(text, all, position);
  if (!found) throw unfit('EXPLAIN is not where reading the statement found it');
  return replace(all, found, found.text);
}

interface Rewriting {
  readonly facts: SqlFacts;
  readonly all: readonly Token[];
  readonly mask: MaskColumn;
}

function editsOf(obligation: SourceObligation, { facts, all, mask }: Rewriting): Edit[] {
  const { statement, table } = obligation;
  const sources = facts.statements[statement]?.sources;
  const sites = sources?.sites.filter((site) => site.table === table) ?? [];
  if (!sources || sites.length === 0)
    throw unfit('a relation to be masked is not where reading the statement found it');
  const edits: Edit[] = [];
  for (const site of sites) {
    const raw = `${RAW_PREFIX}${site.from}_`;
    const filtered = site.filters.filter(({ attribute }) => filterOf(obligation, attribute));
    if (filtered.length > 0 && site.whole) throw unfit('a value would show beside its mask');
    const seen = new Set(filtered.map(({ attribute }) => attribute));
    edits.push(replace(all, site, standIn(site, obligation, { mask, raw, seen })));
    for (const { attribute, at } of filtered) {
      edits.push(replace(all, { from: at, to: at + 1 }, `"${raw}${attribute}"`));
    }
  }
  for (const { from, to } of sources.qualifiers.filter((one) => one.table === table)) {
    const [first, next] = [all[from], all[to]];
    if (!first || !next) throw unfit('a qualifier is not where reading the statement found it');
    edits.push({ start: first.start, end: next.start, text: '' });
  }
  return edits;
}

function filterOf({ columns }: SourceObligation, attribute: number): boolean {
  return columns.some((column) => column.attribute === attribute && column.filtered);
}

function replace(all: readonly Token[], { from, to }: Span, text: string): Edit {
  const [first, last] = [all[from], all[to - 1]];
  if (!first || !last) throw unfit('a relation is not where reading the statement found it');
  return { start: first.start, end: last.end, text };
}

interface Raw {
  readonly mask: MaskColumn;
  /** What the names of values for filters begin with. */
  readonly raw: string;
  readonly seen: ReadonlySet<number>;
}

function standIn(site: SourceSite, obligation: SourceObligation, { mask, raw, seen }: Raw): string {
  const columns = site.columns.map((column) => {
    return `${expression(column, obligation, mask)} AS ${quoted(column.name)}`;
  });
  const hidden = site.columns
    .filter(({ attribute }) => seen.has(attribute))
    .map(({ name, attribute }) => `s.${quoted(name)} AS "${raw}${attribute}"`);
  const system = site.system.map((name) => `s.${name} AS ${name}`);
  const list = [...columns, ...system, ...hidden].join(', ');
  const query = `SELECT ${list} FROM ${site.only ? 'ONLY ' : ''}${quoted(site.schema)}.${quoted(site.relation)} AS s`;
  const alias = site.alias === undefined ? '' : ` AS ${quoted(site.alias)}`;
  return `${site.stands === 'table' ? 'SELECT * FROM ' : ''}(${query})${alias}`;
}

function expression(column: SourceColumn, { columns, clear }: SourceObligation, mask: MaskColumn): string {
  const reference = `s.${quoted(column.name)}`;
  if (!column.labelled || clear.includes(column.attribute)) return reference;
  const masked = columns.find(({ attribute }) => attribute === column.attribute);
  return mask(column, reference, masked?.masks ?? []);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function unfit(what: string): Fault {
  return new Fault('POLICY_FAILED', what);
}
