import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deny } from '../core/decision.ts';
import { Measures } from '../core/measures.ts';
import { Exposition, type Family, PREFIX } from './exposition.ts';
import { familiesOf, type Standing } from './families.ts';

const standing: Standing = {
  version: '1.2.3',
  ready: true,
  sessions: 3,
  connections: 4,
  held: 1,
  upstream: new Map([['shop', { used: 2, waiting: 1 }]]),
  reader: { waiting: 0, started: 1 },
  evidence: { backlog: 0, sequence: 17, stalled: false },
  feedAge: 250,
  revocations: 2,
};

function text(measures: Measures): Promise<string> {
  return new Exposition(async () => familiesOf(measures, standing)).text();
}

describe('metrics', () => {
  it('say what rooms counted, histograms cumulated and in seconds', async () => {
    const measures = new Measures();
    const shop = measures.of('shop');
    shop.decided({ effect: 'permit', policies: [], obligations: [] });
    shop.decided(deny('forbidden', 'no'));
    shop.rows = 12;
    for (const milliseconds of [0.02, 0.02, 3, 5000]) shop.gate.add(milliseconds);
    const lines = (await text(measures)).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE sallyport_operations_total counter',
        'sallyport_operations_total{target="shop",decision="permit",reason=""} 1',
        'sallyport_operations_total{target="shop",decision="deny",reason="forbidden"} 1',
        'sallyport_rows_total{target="shop"} 12',
        'sallyport_gate_seconds_bucket{target="shop",le="0.00001"} 0',
        'sallyport_gate_seconds_bucket{target="shop",le="0.000025"} 2',
        'sallyport_gate_seconds_bucket{target="shop",le="0.005"} 3',
        'sallyport_gate_seconds_bucket{target="shop",le="1"} 3',
        'sallyport_gate_seconds_bucket{target="shop",le="+Inf"} 4',
        'sallyport_gate_seconds_count{target="shop"} 4',
        'sallyport_feed_age_seconds 0.25',
        'sallyport_upstream_waiting{target="shop"} 1',
        'sallyport_build_info{version="1.2.3"} 1',
      ]),
    );
    expect(lines.find((line) => line.startsWith('sallyport_gate_seconds_sum'))).toMatch(/ 5\.003/);
    expect(lines.find((line) => line.startsWith('process_cpu_seconds_total'))).toBeDefined();
  });

  it('can be asked again and again', async () => {
    const exposition = new Exposition(async () => familiesOf(new Measures(), standing));
    await exposition.text();
    await expect(exposition.text()).resolves.toContain('sallyport_sessions 3');
  });

  it('fail where a source does, instead of leaving it out', async () => {
    await expect(new Exposition(() => Promise.reject(new Error('no'))).text()).rejects.toThrow('no');
  });

  it('are those of the reference, with their types and labels', () => {
    const measures = new Measures();
    measures.of('shop').decided(deny('forbidden', 'no'));
    const said = familiesOf(measures, standing).map(row);
    const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
    const written = page.split('\n').filter((line) => line.startsWith(`| \`${PREFIX}`));
    expect(written).toEqual(said);
  });
});

function row({ name, type, samples, help }: Family): string {
  const labels = [...new Set(samples.flatMap((sample) => Object.keys(sample.labels)))];
  return `| \`${PREFIX}${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
}
