import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuRatioOf, differenceOf, ratioOf } from './compare.ts';
import { judge, type Verdict } from './goals.ts';
import type { Machine } from './machine.ts';
import type { Options } from './options.ts';
import type { PartResult } from './parts/part.ts';
import type { CaseResult, Series } from './rounds.ts';
import { median, spread } from './stats.ts';

export interface Report {
  readonly at: string;
  readonly machine: Machine;
  readonly options: Pick<Options, 'rounds' | 'seconds' | 'rows' | 'quick' | 'only'>;
  /** Loud remarks: what was not there to be measured. */
  readonly remarks: readonly string[];
  readonly parts: readonly PartResult[];
  readonly cases: readonly CaseResult[];
}

const HEAD = ['', 'median', 'best', 'spread', 'vs direct', 'vs pgbouncer', 'CPU µs per', 'CPU vs pgbouncer'];

/** One case as a Markdown table, which reads well on a terminal too. */
export function tableOf(result: CaseResult): string {
  const { unit, better, per } = result;
  const best = better === 'more' ? Math.max : Math.min;
  const head = HEAD.map((name) => (name === 'CPU µs per' ? `CPU µs per ${per}` : name));
  const rows = result.series.map((one) => {
    if (one.values.length === 0) return [one.target, 'FAILED', '', '', '', '', '', ''];
    const by = (kind: Series['kind'], how: (a: Series, b: Series) => string): string => {
      const other = result.series.find((candidate) => candidate.kind === kind && candidate.tls === one.tls);
      return other === undefined || other === one || other.values.length === 0 ? '' : how(one, other);
    };
    const against = (mine: Series, theirs: Series): string =>
      better === 'more' ? ranged(ratioOf(mine, theirs)) : `${signed(median(differenceOf(mine, theirs)))} ${unit}`;
    return [
      one.target,
      `${amount(median(one.values))} ${unit}`,
      amount(best(...one.values)),
      one.values.length > 1 ? `${Math.round(spread(one.values) * 100)} %` : '',
      by('direct', against),
      by('pgbouncer', against),
      one.cpu.length > 0 ? amount(median(one.cpu)) : '',
      by('pgbouncer', (mine, theirs) =>
        mine.cpu.length > 0 && theirs.cpu.length > 0 ? `${median(cpuRatioOf(mine, theirs)).toFixed(2)}×` : '',
      ),
    ];
  });
  const failures = result.series.flatMap(({ target, failed }) =>
    failed === undefined ? [] : [`- **FAILED** ${target}: ${failed.replaceAll('\n', ' ')}`],
  );
  const pinning = result.pinned ? ', pinned' : '';
  return [`### ${result.title} (\`${result.name}\`${pinning})`, '', ...lines([head, ...rows]), '', ...failures]
    .join('\n')
    .trimEnd();
}

/** One part as a Markdown table. */
export function partTableOf({ name, title, unit, better, readings }: PartResult): string {
  const best = better === 'more' ? Math.max : Math.min;
  const rows = readings.map(({ of, values }) => [of, amount(median(values)), amount(best(...values))]);
  return [`### ${title} (\`${name}\`)`, '', ...lines([['', `median ${unit}`, `best ${unit}`], ...rows])].join('\n');
}

export function verdictsOf(verdicts: readonly Verdict[]): string {
  const words = { goal: 'goal', first: 'first', neither: '**no**' };
  const rows = verdicts.map(({ measure, tls, better, first, goal, unit, value, reached }) => {
    const sign = better === 'more' ? '≥' : '≤';
    const text = (number: number) =>
      unit === '' || unit === '×' ? `${number.toFixed(2)}${unit}` : `${amount(number)} ${unit}`;
    return [
      `${measure}${tls ? ', tls' : ''}`,
      `${sign} ${text(first)}`,
      `${sign} ${text(goal)}`,
      text(value),
      words[reached],
    ];
  });
  return lines([['measure', 'first', 'goal', 'measured', 'reached'], ...rows]).join('\n');
}

export function markdownOf(report: Report): string {
  const { machine, options } = report;
  const { cores, processor, memory, system, load, node, postgres, pgbouncer, pgbench, revision } = machine;
  return `# Bench, ${report.at.slice(0, 10)}

${cores} cores (${processor}), ${memory}, ${system}; load before the run ${load}.
Node ${node}, PostgreSQL ${postgres}, pgbouncer: ${pgbouncer}, pgbench: ${pgbench}. Revision ${revision}.
${options.rounds} rounds of ${options.seconds} s${options.quick ? ' (the short form: a smoke test more than a measurement)' : ''}, targets interleaved, ${options.rows} rows in the large result.

Everything runs on this one machine: client, server and what lies between share its cores. \`vs\` is the median of the
rounds' own ratios (lowest–highest); differences smaller than the spread are noise. \`sallyport\` decides, masks, runs
detectors, records durably (\`process\`) and audits every operation, for a CI job acting for a person.
${report.remarks.map((remark) => `\n**${remark}**\n`).join('')}
## Goals

${verdictsOf(judge(report.cases, report.parts))}

## Parts

${report.parts.map(partTableOf).join('\n\n')}

## Cases

${report.cases.map(tableOf).join('\n\n')}
`;
}

/** Writes the report twice, for people and for programs; gives the name without its ending. */
export function save(report: Report, directory: string): string {
  mkdirSync(directory, { recursive: true });
  const name = report.at.slice(0, 16).replace('T', '-').replace(':', '');
  writeFileSync(join(directory, `${name}.md`), markdownOf(report));
  writeFileSync(
    join(directory, `${name}.json`),
    `${JSON.stringify({ ...report, goals: judge(report.cases, report.parts) }, null, 2)}\n`,
  );
  return name;
}

function lines(rows: readonly (readonly string[])[]): string[] {
  const [head = []] = rows;
  const widths = head.map((_name, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.slice(1).map(line)];
}

function ranged(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function amount(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 2 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${amount(Math.abs(value))}`;
}
