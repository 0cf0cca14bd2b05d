import { describe, expect, it } from 'vitest';
import { judge } from './goals.ts';
import { readOptions } from './options.ts';
import { partTableOf, tableOf, verdictsOf } from './report.ts';
import type { CaseResult, Series } from './rounds.ts';
import type { Kind } from './targets/target.ts';

function series(kind: Kind, values: readonly number[], more: Partial<Series> = {}): Series {
  return { target: kind, kind, tls: false, values, cpu: [], cpuWithChildren: [], failed: undefined, ...more };
}

function result(name: string, all: readonly Series[], better: 'more' | 'less' = 'more'): CaseResult {
  const unit = better === 'more' ? 'tps' : 'µs';
  return { name, title: 'A case', unit, better, per: 'transaction', pinned: false, series: all };
}

const prepared = result('lookup-prepared-8', [
  series('direct', [1000, 2000]),
  series('pgbouncer', [500, 1000], { cpu: [10, 10] }),
  series('sallyport', [450, 950], { cpu: [15, 25] }),
]);

describe('the table of a case', () => {
  it('shows the ratios of rounds, not of medians', () => {
    const [line = ''] = tableOf(prepared)
      .split('\n')
      .filter((one) => one.startsWith('| sallyport'));
    expect(line.split('|').map((cell) => cell.trim())).toEqual([
      '',
      'sallyport',
      '700 tps',
      '950',
      '71 %',
      '0.46 (0.45–0.47)',
      '0.93 (0.90–0.95)',
      '20.0',
      '2.00×',
      '',
    ]);
  });

  it('compares TLS with TLS only', () => {
    const table = tableOf(result('x', [series('direct', [10]), series('sallyport', [5], { tls: true })]));
    expect(table).not.toContain('0.50');
  });

  it('says loudly what failed and why', () => {
    const table = tableOf(
      result('x', [series('direct', [10]), series('sallyport', [], { failed: 'row 3\nis wrong' })]),
    );
    expect(table).toContain('FAILED** sallyport: row 3 is wrong');
  });
});

describe('goals', () => {
  it('are judged by ratio and by CPU, where the cases were run', () => {
    const verdicts = judge([prepared], []);
    expect(verdicts.map(({ measure, reached }) => [measure, reached])).toEqual([
      ['prepared, 8 clients, vs pgbouncer', 'first'],
      ['CPU per look-up (prepared), vs pgbouncer', 'neither'],
    ]);
    expect(verdictsOf(verdicts)).toContain('**no**');
  });

  it('are judged by the worst reading of a part, by the median of its rounds', () => {
    const readings = [
      { of: 'prose', values: [900, 800, 100] },
      { of: 'digits', values: [390, 450, 420] },
    ];
    const part = { name: 'detect-usual', title: '', unit: 'MB/s', better: 'more', readings } as const;
    expect(partTableOf(part).split('\n')).toContain('| prose  |         800 |       900 |');
    expect(judge([], [part])).toEqual([expect.objectContaining({ value: 420, reached: 'first' })]);
  });

  it('are judged by the slowest run, where that is what was promised', () => {
    const readings = [
      { of: 'one node', values: [40, 50, 60] },
      { of: 'two nodes', values: [45, 1200, 50] },
    ];
    const part = { name: 'revocation', title: '', unit: 'ms', better: 'less', readings } as const;
    expect(judge([], [part])).toEqual([expect.objectContaining({ value: 1200, reached: 'neither' })]);
  });

  it('are not judged by a target that gave nothing', () => {
    const failed = result('lookup-prepared-8', [series('pgbouncer', [500]), series('sallyport', [], { failed: 'x' })]);
    expect(judge([failed], [])).toEqual([]);
  });

  it('take what a direct connection needs off the cost of a new statement', () => {
    const cases = [
      result('decision-seen', [series('direct', [100]), series('sallyport', [150])], 'less'),
      result('decision-unseen', [series('direct', [120]), series('sallyport', [570])], 'less'),
    ];
    expect(judge(cases, [])).toEqual([expect.objectContaining({ value: 400, reached: 'first' })]);
  });
});

describe('options', () => {
  it.each([
    ['--rounds', '0'],
    ['--seconds', '1.5'],
    ['--rows', 'many'],
    ['--unknown', '1'],
  ])('refuses %s %s', (name, value) => {
    expect(() => readOptions([name, value])).toThrow();
  });

  it('are short in the short form, unless given', () => {
    expect(readOptions(['--quick', '--seconds', '3'])).toMatchObject({ rounds: 2, seconds: 3, rows: 50_000 });
  });
});
